/** Exit codes of the program and what they tell the caller (spec 01 §2.4). */

import type { Where } from "../base/build.ts";

/** One row of the table of exit codes. */
export interface ExitCodeRow {
  readonly code: number;
  readonly meaning: string;
  /** The builds that use it; absent: all. */
  readonly where?: Where;
}

const multiuser: Where = { engines: ["multiuser"] };
const windows: Where = { systems: ["windows"] };

export const exitCodes = {
  success: { code: 0, meaning: "Success; `run`: numberOfTasksToRun was reached" },
  usage: { code: 1, meaning: "The command line is not understood" },
  crash: { code: 2, meaning: "The process crashed outside the protected main loop" },
  badConfigFile: {
    code: 64,
    meaning:
      "The config file can't be read, is not valid JSON, or has an unknown setting or a value of the " +
      "wrong type or out of range",
  },
  installFailed: { code: 65, meaning: "The Windows service could not be installed", where: windows },
  rebootRequired: {
    code: 67,
    meaning: "A new task user was prepared; the host must reboot to log it in",
    where: multiuser,
  },
  idleTimeout: { code: 68, meaning: "No task was claimed for longer than idleTimeoutSecs" },
  internalError: {
    code: 69,
    meaning: "Internal error: crash of the main loop, unusable environment, or a command that this build " +
      "does not implement",
  },
  terminationAsked: {
    code: 70,
    meaning:
      "worker-manager said that the worker should terminate, or deploymentId changed in the config file",
  },
  interrupted: { code: 71, meaning: "Interrupted from the keyboard (Ctrl-C, SIGINT)" },
  gracefulTermination: {
    code: 72,
    meaning: "Graceful termination: SIGTERM, notice of the cloud provider, or request of worker-runner",
  },
  invalidConfig: {
    code: 73,
    meaning: "The config file was read, but a required setting is missing or settings contradict each other",
  },
  windowStationFailed: {
    code: 74,
    meaning: "Access to the window station could not be granted",
    where: windows,
  },
  keyPairFailed: { code: 75, meaning: "The ed25519 key pair could not be created" },
  copyFailed: { code: 76, meaning: "`copy-to-temp-file` failed" },
  configNotSecured: {
    code: 77,
    meaning: "The config file could not be locked down against task users",
    where: multiuser,
  },
  protocolPipeFailed: { code: 78, meaning: "The protocol pipe of worker-runner could not be opened" },
  createFileFailed: { code: 79, meaning: "`create-file` failed" },
  createDirFailed: { code: 80, meaning: "`create-dir` failed" },
  unarchiveFailed: { code: 81, meaning: "`unarchive` failed" },
  signingKeyUnusable: {
    code: 82,
    meaning: "The ed25519 private key is missing, unreadable or not base64",
    where: multiuser,
  },
  launchAgentFailed: {
    code: 83,
    meaning: "The launch agent could not start",
    where: { engines: ["multiuser"], systems: ["darwin"] },
  },
  statusFailed: { code: 84, meaning: "`status` could not read the status file" },
} as const satisfies Readonly<Record<string, ExitCodeRow>>;
