/**
 * The table of settings (spec 01 §3.3, §3.4). Loading, validation, the help text, the JSON schema and `check-config`
 * are derived from it.
 */

import { type Build, existsOn, type Where } from "../base/build.ts";
import type { Setting } from "./setting.ts";

const multiuser: Where = { engines: ["multiuser"] };
const linux: Where = { systems: ["linux"] };
const windows: Where = { systems: ["windows"] };

export const settings = [
  {
    name: "accessToken",
    type: "string",
    required: true,
    secret: true,
    meaning: "The worker's Taskcluster access token",
  },
  {
    name: "certificate",
    type: "string",
    default: "",
    secret: true,
    meaning: "The certificate of temporary credentials, a JSON document in a string",
  },
  { name: "clientId", type: "string", required: true, meaning: "The worker's Taskcluster client id" },
  {
    name: "rootURL",
    type: "string",
    required: true,
    meaning: "Root URL of the Taskcluster deployment",
  },
  {
    name: "provisionerId",
    type: "string",
    default: "test-provisioner",
    required: true,
    meaning: "First half of the worker pool's id",
  },
  { name: "workerType", type: "string", required: true, meaning: "Second half of the worker pool's id" },
  {
    name: "workerGroup",
    type: "string",
    default: "test-worker-group",
    required: true,
    meaning: "Group reported when claiming tasks, usually the region",
  },
  { name: "workerId", type: "string", required: true, meaning: "Name of the worker, unique in its group" },
  {
    name: "capacity",
    type: "uint8",
    default: 1,
    least: 1,
    meaning: "How many tasks run at the same time, at least 1. More than 1 needs headlessTasks on the " +
      "multiuser engine, and turns run-as-current-user and run-as-administrator off",
  },
  {
    name: "numberOfTasksToRun",
    type: "uint",
    default: 0,
    meaning: "Exit with 0 after this many tasks, counted across restarts; 0: no limit",
  },
  {
    name: "idleTimeoutSecs",
    type: "uint",
    default: 0,
    meaning: "Exit with 68 after being idle for longer than this; 0: never",
  },
  {
    name: "shutdownMachineOnIdle",
    type: "bool",
    default: false,
    meaning: "Halt the machine after exit 68",
  },
  {
    name: "shutdownMachineOnInternalError",
    type: "bool",
    default: false,
    meaning: "Halt the machine after exit 69",
  },
  {
    name: "disableReboots",
    type: "bool",
    default: false,
    meaning: "Only exit with 67 where the machine would be rebooted as well",
  },
  {
    name: "tasksDir",
    type: "string",
    default: defaultTasksDirectory,
    required: true,
    meaning: "Parent of the task directories; created when missing",
  },
  {
    name: "cachesDir",
    type: "string",
    default: "caches",
    required: true,
    meaning: "Where writable caches are kept",
  },
  {
    name: "downloadsDir",
    type: "string",
    default: "downloads",
    required: true,
    meaning: "Where content downloaded for mounts is kept",
  },
  {
    name: "cleanUpTaskDirs",
    type: "bool",
    default: true,
    meaning: "Delete task directories, task users and local task logs; false keeps them for debugging",
  },
  {
    name: "requiredDiskSpaceMegabytes",
    type: "uint",
    default: 10240,
    meaning: "MiB that must be free below tasksDir before a task is claimed",
  },
  {
    name: "maxTaskRunTime",
    type: "uint32",
    default: 86400,
    meaning: "Upper limit of a payload's maxRunTime, in seconds",
  },
  {
    name: "runAfterUserCreation",
    type: "string",
    default: "",
    meaning: "A program run as each new task user, in its task directory, before any task; multiuser only, " +
      "ignored by insecure",
  },
  {
    name: "createObjectArtifacts",
    type: "bool",
    default: false,
    meaning: "Upload artifacts with the storage type object instead of s3",
  },
  {
    name: "ed25519SigningKeyLocation",
    type: "string",
    default: "",
    required: multiuser,
    meaning:
      "Private key file for chain of trust; needed on the multiuser engine unless enableChainOfTrust " +
      "is false",
  },
  {
    name: "enableChainOfTrust",
    type: "bool",
    default: true,
    meaning: "Allow the feature chainOfTrust; only the multiuser engine has it",
  },
  {
    name: "enableInteractive",
    type: "bool",
    default: true,
    meaning: "Allow the feature interactive",
  },
  { name: "enableLiveLog", type: "bool", default: true, meaning: "Allow the feature liveLog" },
  {
    name: "enableMetadata",
    type: "bool",
    default: true,
    meaning: "Write generic-worker-metadata.json after each task",
  },
  { name: "enableMounts", type: "bool", default: true, meaning: "Allow mounts" },
  { name: "enableOSGroups", type: "bool", default: true, meaning: "Allow osGroups" },
  {
    name: "enableResourceMonitor",
    type: "bool",
    default: true,
    meaning: "Allow the feature resourceMonitor",
  },
  {
    name: "enableTaskclusterProxy",
    type: "bool",
    default: true,
    meaning: "Allow the feature taskclusterProxy",
  },
  {
    name: "livelogExecutable",
    type: "string",
    default: "livelog",
    required: true,
    meaning: "The livelog program",
  },
  {
    name: "livelogPortBase",
    type: "uint16",
    default: 60098,
    meaning: "First of the two local ports of the live log; each further task adds 4",
  },
  {
    name: "livelogExposePort",
    type: "uint16",
    default: 0,
    meaning: "Public port of the live log where no websocktunnel is used; 0: any",
  },
  {
    name: "interactivePort",
    type: "uint16",
    default: 53654,
    meaning: "Local port of the interactive shell; each further task adds 4",
  },
  {
    name: "taskclusterProxyExecutable",
    type: "string",
    default: "taskcluster-proxy",
    meaning: "The taskcluster-proxy program",
  },
  {
    name: "taskclusterProxyPort",
    type: "uint16",
    default: 80,
    meaning: "Local port of taskcluster-proxy; each further task adds 4",
  },
  {
    name: "maxMemoryUsagePercent",
    type: "uint64",
    default: 90,
    meaning: "A task is killed when more than this much memory is used and less than " +
      "minAvailableMemoryBytes is left, for longer than allowedHighMemoryDurationSecs",
  },
  {
    name: "minAvailableMemoryBytes",
    type: "uint64",
    default: 524288000,
    meaning: "See maxMemoryUsagePercent",
  },
  {
    name: "allowedHighMemoryDurationSecs",
    type: "uint64",
    default: 5,
    meaning: "See maxMemoryUsagePercent",
  },
  {
    name: "disableOOMProtection",
    type: "bool",
    default: false,
    meaning: "Only warn of a lack of memory, kill nothing",
  },
  {
    name: "publicIP",
    type: "ip",
    default: "",
    meaning: "Host in the URLs of what is exposed without websocktunnel; also goes into RDP information " +
      "and chain of trust",
  },
  { name: "privateIP", type: "ip", default: "", meaning: "Goes into chain of trust" },
  {
    name: "availabilityZone",
    type: "string",
    default: "",
    meaning: "Where in the cloud the worker runs",
  },
  {
    name: "region",
    type: "string",
    default: "",
    meaning: "Where in the cloud the worker runs; goes into metrics and chain of trust",
  },
  {
    name: "instanceId",
    type: "string",
    default: "",
    meaning: "The cloud's name of the machine; goes into chain of trust",
  },
  {
    name: "instanceType",
    type: "string",
    default: "",
    meaning: "The cloud's name of the machine's kind; goes into metrics, chain of trust and the tasks' " +
      "TASKCLUSTER_INSTANCE_TYPE",
  },
  {
    name: "workerLocation",
    type: "string",
    default: "",
    meaning: "Goes into the tasks' TASKCLUSTER_WORKER_LOCATION",
  },
  {
    name: "workerTypeMetadata",
    type: "metadata",
    default: {},
    meaning: "Anything; printed at the top of every task log",
  },
  {
    name: "sentryProject",
    type: "string",
    default: "generic-worker",
    meaning: 'Sentry project for crash reports; "": none',
  },
  {
    name: "wstServerURL",
    type: "string",
    default: "",
    meaning: "URL of the websocktunnel; used only together with wstAudience",
  },
  {
    name: "wstAudience",
    type: "string",
    default: "",
    meaning: "Audience of the websocktunnel; used only together with wstServerURL",
  },
  {
    name: "checkForNewDeploymentEverySecs",
    type: "uint",
    default: 1800,
    legacy: true,
    meaning: "At least this much time passes between two looks for a changed deploymentId",
  },
  {
    name: "deploymentId",
    type: "string",
    default: "",
    legacy: true,
    meaning: "When the config file's value changes, the worker finishes its tasks and exits with 70",
  },
  {
    name: "headlessTasks",
    type: "bool",
    default: false,
    where: multiuser,
    meaning: "No login session and no reboots: each task's user is created when the task is claimed",
  },
  {
    name: "enableRunTaskAsCurrentUser",
    type: "bool",
    default: true,
    where: multiuser,
    meaning: "Allow the feature runTaskAsCurrentUser; works only with capacity 1",
  },
  { name: "enableRDP", type: "bool", default: true, where: windows, meaning: "Allow the feature RDP" },
  {
    name: "enableRunAsAdministrator",
    type: "bool",
    default: true,
    where: windows,
    meaning: "Allow the feature runAsAdministrator; works only with capacity 1",
  },
  {
    name: "enableLoopbackAudio",
    type: "bool",
    default: true,
    where: linux,
    meaning: "Allow the feature loopbackAudio",
  },
  {
    name: "enableLoopbackVideo",
    type: "bool",
    default: true,
    where: linux,
    meaning: "Allow the feature loopbackVideo",
  },
  {
    name: "loopbackAudioDeviceNumber",
    type: "uint8",
    default: 16,
    where: linux,
    meaning: "Number of the loopback device in /dev/snd, 0 to 31",
  },
  {
    name: "loopbackVideoDeviceNumber",
    type: "uint8",
    default: 0,
    where: linux,
    meaning: "Number of the loopback device /dev/video<N>",
  },
  {
    name: "disableNativePayloads",
    type: "bool",
    default: false,
    where: linux,
    meaning: "Refuse payloads that are not docker-worker payloads",
  },
  {
    name: "d2gConfig",
    type: "d2g",
    default: {},
    where: linux,
    meaning: "How docker-worker payloads are run; an object with the settings below",
  },
] as const satisfies readonly Setting[];

/** The rows that a build knows. */
export function settingsOn(build: Build): readonly Setting[] {
  const rows: readonly Setting[] = settings;
  return rows.filter((row) => existsOn(row.where, build));
}

/** The default of a setting on one build; undefined where the file must give a value. */
export function defaultOf(
  setting: Setting,
  build: Build,
): Exclude<Setting["default"], (build: Build) => unknown> {
  return typeof setting.default === "function" ? setting.default(build) : setting.default;
}

function defaultTasksDirectory({ engine, os }: Build): string {
  if (engine === "insecure") return "tasks";
  if (os === "windows") return "C:\\Users";
  return os === "darwin" ? "/Users" : "/home";
}
