import { strict as assert } from "node:assert";
import type { Build } from "../../src/base/build.ts";
import type { Config } from "../../src/config/config.ts";
import { reportOnText } from "../../src/config/config_report.ts";
import { publicConfig } from "../../src/config/public_config.ts";
import { withWorkerMetadata } from "../../src/config/worker_metadata.ts";
import { insecure, minimal, multiuser } from "./samples.ts";

function configOf(document: object, build: Build = insecure): Config {
  return reportOnText(JSON.stringify(document), build).config;
}

Deno.test("publicConfig() shows the documented defaults of every public setting, and no secret", () => {
  const everywhere = {
    allowedHighMemoryDurationSecs: 5,
    availabilityZone: "",
    cachesDir: "caches",
    capacity: 1,
    checkForNewDeploymentEverySecs: 1800,
    cleanUpTaskDirs: true,
    clientId: "client",
    createObjectArtifacts: false,
    deploymentId: "",
    disableOOMProtection: false,
    disableReboots: false,
    downloadsDir: "downloads",
    ed25519SigningKeyLocation: "",
    enableChainOfTrust: true,
    enableInteractive: true,
    enableLiveLog: true,
    enableMetadata: true,
    enableMounts: true,
    enableOSGroups: true,
    enableResourceMonitor: true,
    enableTaskclusterProxy: true,
    idleTimeoutSecs: 0,
    instanceId: "",
    instanceType: "",
    interactivePort: 53654,
    livelogExecutable: "livelog",
    livelogExposePort: 0,
    livelogPortBase: 60098,
    maxMemoryUsagePercent: 90,
    maxTaskRunTime: 86400,
    minAvailableMemoryBytes: 524288000,
    numberOfTasksToRun: 0,
    privateIP: "",
    provisionerId: "test-provisioner",
    publicIP: "",
    region: "",
    requiredDiskSpaceMegabytes: 10240,
    rootURL: "https://tc.example.com",
    runAfterUserCreation: "",
    sentryProject: "generic-worker",
    shutdownMachineOnIdle: false,
    shutdownMachineOnInternalError: false,
    taskclusterProxyExecutable: "taskcluster-proxy",
    taskclusterProxyPort: 80,
    tasksDir: "tasks",
    workerGroup: "test-worker-group",
    workerId: "worker-1",
    workerType: "type",
    workerTypeMetadata: {},
    wstAudience: "",
    wstServerURL: "",
  };
  const config = configOf(minimal);
  const onLinux = {
    d2gConfig: config.d2gConfig,
    disableNativePayloads: false,
    enableLoopbackAudio: true,
    enableLoopbackVideo: true,
    loopbackAudioDeviceNumber: 16,
    loopbackVideoDeviceNumber: 0,
  };
  assert.deepEqual(publicConfig(config, insecure), { ...everywhere, ...onLinux });
  const windows: Build = { engine: "multiuser", os: "windows" };
  assert.deepEqual(publicConfig(configOf(minimal, windows), windows), {
    ...everywhere,
    tasksDir: "C:\\Users",
    headlessTasks: false,
    enableRunTaskAsCurrentUser: true,
    enableRDP: true,
    enableRunAsAdministrator: true,
  });
});

Deno.test("publicConfig() shows the worker's location where there is one", () => {
  const config = configOf({ ...minimal, workerLocation: "{}" });
  assert.equal(publicConfig(config, insecure)["workerLocation"], "{}");
});

Deno.test("withWorkerMetadata() replaces the worker's own part of the metadata and keeps the rest", () => {
  const config = configOf({
    ...minimal,
    capacity: 3,
    workerTypeMetadata: { "image": "x", "generic-worker": { forged: true } },
  });
  const facts = { os: "linux", arch: "amd64", runtimeVersion: "deno 2.4.2", version: "1.2.3" } as const;
  assert.deepEqual(
    withWorkerMetadata(config, { ...facts, engine: "insecure", revision: undefined }).workerTypeMetadata,
    {
      "image": "x",
      "generic-worker": {
        "go-arch": "amd64",
        "go-os": "linux",
        "go-version": "deno 2.4.2",
        release: "https://github.com/taskcluster/taskcluster/releases/tag/v1.2.3",
        version: "1.2.3",
        engine: "insecure",
        config: { capacity: 3 },
      },
    },
  );
  const revision = "0123456789abcdef0123456789abcdef01234567";
  const headless = configOf({ ...minimal, headlessTasks: true }, multiuser);
  const { workerTypeMetadata } = withWorkerMetadata(headless, { ...facts, engine: "multiuser", revision });
  const own = workerTypeMetadata["generic-worker"] as Record<string, unknown>;
  assert.deepEqual(own["config"], { capacity: 1, headlessTasks: true });
  assert.equal(own["revision"], revision);
  assert.equal(own["source"], `https://github.com/taskcluster/taskcluster/commits/${revision}`);
});
