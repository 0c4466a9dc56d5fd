/** A loaded and validated configuration (spec 01 §3.3, §3.4): effective values, defaults filled in. */

import type { Secret } from "../base/secret.ts";

export interface D2gConfig {
  readonly enableD2G: boolean;
  readonly allowChainOfTrust: boolean;
  readonly allowDisableSeccomp: boolean;
  readonly allowGPUs: boolean;
  readonly allowHostSharedMemory: boolean;
  readonly allowInteractive: boolean;
  readonly allowKVM: boolean;
  readonly allowLoopbackAudio: boolean;
  readonly allowLoopbackVideo: boolean;
  readonly allowPrivileged: boolean;
  readonly allowPtrace: boolean;
  readonly allowTaskclusterProxy: boolean;
  readonly gpus: string;
  readonly logTranslation: boolean;
}

export interface Config {
  readonly accessToken: Secret;
  readonly certificate: Secret;
  readonly clientId: string;
  readonly rootURL: string;
  readonly provisionerId: string;
  readonly workerType: string;
  readonly workerGroup: string;
  readonly workerId: string;
  readonly capacity: number;
  readonly numberOfTasksToRun: number;
  readonly idleTimeoutSecs: number;
  readonly shutdownMachineOnIdle: boolean;
  readonly shutdownMachineOnInternalError: boolean;
  readonly disableReboots: boolean;
  readonly tasksDir: string;
  readonly cachesDir: string;
  readonly downloadsDir: string;
  readonly cleanUpTaskDirs: boolean;
  readonly requiredDiskSpaceMegabytes: number;
  readonly maxTaskRunTime: number;
  readonly runAfterUserCreation: string;
  readonly createObjectArtifacts: boolean;
  readonly ed25519SigningKeyLocation: string;
  readonly enableChainOfTrust: boolean;
  readonly enableInteractive: boolean;
  readonly enableLiveLog: boolean;
  readonly enableMetadata: boolean;
  readonly enableMounts: boolean;
  readonly enableOSGroups: boolean;
  readonly enableResourceMonitor: boolean;
  readonly enableTaskclusterProxy: boolean;
  readonly livelogExecutable: string;
  readonly livelogPortBase: number;
  readonly livelogExposePort: number;
  readonly interactivePort: number;
  readonly taskclusterProxyExecutable: string;
  readonly taskclusterProxyPort: number;
  readonly maxMemoryUsagePercent: number;
  readonly minAvailableMemoryBytes: number;
  readonly allowedHighMemoryDurationSecs: number;
  readonly disableOOMProtection: boolean;
  readonly publicIP: string;
  readonly privateIP: string;
  readonly availabilityZone: string;
  readonly region: string;
  readonly instanceId: string;
  readonly instanceType: string;
  readonly workerLocation: string;
  readonly workerTypeMetadata: Readonly<Record<string, unknown>>;
  readonly sentryProject: string;
  readonly wstServerURL: string;
  readonly wstAudience: string;
  readonly checkForNewDeploymentEverySecs: number;
  readonly deploymentId: string;
  /** Multiuser only; false elsewhere. */
  readonly headlessTasks: boolean;
  readonly enableRunTaskAsCurrentUser: boolean;
  /** Linux only. */
  readonly enableLoopbackAudio: boolean;
  readonly enableLoopbackVideo: boolean;
  readonly loopbackAudioDeviceNumber: number;
  readonly loopbackVideoDeviceNumber: number;
  readonly disableNativePayloads: boolean;
  readonly d2gConfig: D2gConfig;
}
