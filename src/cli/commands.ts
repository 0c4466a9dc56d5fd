/** The tables of commands and options (spec 01 §2.2); parsing and help are derived from them. */

import type { CommandRow, OptionRow } from "./command.ts";

export const commands: readonly CommandRow[] = [
  {
    name: "run",
    accepts: ["config", "with-worker-runner", "worker-runner-protocol-pipe"],
    meaning: "Claims tasks and runs them, until there is a reason to stop",
    load: () => import("./run.ts"),
  },
  {
    name: "run-task",
    operand: "FILE",
    accepts: ["json", "artifacts"],
    meaning: "Runs one task on this machine without a Taskcluster. FILE is a task definition or a payload " +
      "(JSON or YAML), `-` for standard input, or the URL or id of a public task. Exit code: 0 completed, " +
      "1 failed, 2 exception",
    load: () => import("./run_task.ts"),
  },
  {
    name: "local-taskcluster",
    accepts: ["port"],
    meaning: "Serves a small Taskcluster on the loopback interface until interrupted; prints its root URL " +
      "and credentials",
    load: () => import("./local_taskcluster.ts"),
  },
  {
    name: "status",
    meaning: "Prints the ids of the tasks being run, as JSON",
    load: () => import("./status.ts"),
  },
  {
    name: "check-config",
    operand: "FILE",
    accepts: ["json"],
    meaning: "Lists every mistake in a config file with its line and column, then every setting with its " +
      "value and where it comes from. Exit code: what `run` would give",
    load: () => import("./check_config.ts"),
  },
  {
    name: "show-config-schema",
    meaning: "Prints the JSON schema of the config file",
    load: () => import("./show_config_schema.ts"),
  },
  {
    name: "show-payload-schema",
    meaning: "Prints the JSON schema of task payloads",
    load: () => import("./show_payload_schema.ts"),
  },
  {
    name: "new-ed25519-keypair",
    requires: ["file"],
    meaning:
      "Creates a signing key for chain of trust: the private key goes into a file, the public key to " +
      "standard output",
    load: () => import("./new_ed25519_keypair.ts"),
  },
  {
    name: "copy-to-temp-file",
    requires: ["copy-file"],
    meaning: "Internal: copies a file as the calling user and prints the path of the copy",
    load: () => import("./copy_to_temp_file.ts"),
  },
  {
    name: "create-file",
    requires: ["create-file"],
    meaning: "Internal: creates an empty file, or empties an existing one, as the calling user",
    load: () => import("./create_file.ts"),
  },
  {
    name: "create-dir",
    requires: ["create-dir"],
    meaning: "Internal: creates a directory and its parents as the calling user",
    load: () => import("./create_dir.ts"),
  },
  {
    name: "unarchive",
    requires: ["archive-src", "archive-dst", "archive-fmt"],
    meaning: "Internal: extracts an archive as the calling user",
    load: () => import("./unarchive.ts"),
  },
  {
    name: "launch-agent",
    where: { engines: ["multiuser"], systems: ["darwin"] },
    meaning: "Internal: runs commands in the desktop session of a task user",
  },
  {
    name: "install",
    operand: "service",
    accepts: ["nssm", "service-name", "config"],
    where: { systems: ["windows"] },
    meaning: "Installs the worker as a service, by means of NSSM",
  },
  {
    name: "grant-winsta-access",
    requires: ["sid"],
    where: { systems: ["windows"] },
    meaning: "Internal: opens the window station and desktop to a login session",
  },
];

/** What prints something about the program and needs no command; asked for by the option of the same name. */
export const informational: readonly CommandRow[] = [
  { name: "help", meaning: "Prints this text (also `-h`)", load: () => import("./help.ts") },
  {
    name: "version",
    meaning: "Prints engine, version and revision",
    load: () => import("./version.ts"),
  },
  {
    name: "short-version",
    meaning: "Prints the version alone",
    load: () => import("./short_version.ts"),
  },
];

export const options: readonly OptionRow[] = [
  {
    name: "config",
    value: "FILE",
    meaning: "The config file, JSON, relative to the working directory [default: generic-worker.config]",
  },
  { name: "with-worker-runner", meaning: "The worker was started by worker-runner and talks to it" },
  {
    name: "worker-runner-protocol-pipe",
    value: "PIPE",
    meaning:
      "Talk to worker-runner through PIPE-input and PIPE-output instead of standard input and output; " +
      "the same as `worker.protocolPipe` in worker-runner's configuration. Needs --with-worker-runner",
  },
  { name: "port", value: "N", meaning: "Port to serve on [default: a free one]" },
  { name: "json", meaning: "Print JSON for programs instead of text for people" },
  { name: "artifacts", value: "DIR", meaning: "Put the task's artifacts there" },
  { name: "file", value: "FILE", meaning: "Where to write the private key. An existing file is replaced" },
  { name: "copy-file", value: "FILE", meaning: "The file to copy" },
  { name: "create-file", value: "FILE", meaning: "The file to create" },
  { name: "create-dir", value: "DIR", meaning: "The directory to create" },
  { name: "archive-src", value: "FILE", meaning: "The archive to extract" },
  { name: "archive-dst", value: "DIR", meaning: "The directory to extract it into" },
  {
    name: "archive-fmt",
    value: "FORMAT",
    meaning: "Format of the archive: rar, tar.bz2, tar.gz, tar.lz4, tar.xz, tar.zst or zip",
  },
  {
    name: "nssm",
    value: "EXE",
    where: { systems: ["windows"] },
    meaning: "The NSSM program [default: C:\\nssm-2.24\\win64\\nssm.exe]",
  },
  {
    name: "service-name",
    value: "NAME",
    where: { systems: ["windows"] },
    meaning: "Name of the service [default: Generic Worker]",
  },
  {
    name: "sid",
    value: "SID",
    where: { systems: ["windows"] },
    meaning: "The login session to give access to, as in S-1-5-5-0-41431533",
  },
  ...informational,
];
