/** Starts a process as the leader of its own group and explains why when it cannot be started. */

import { isAbsolute, join } from "node:path";
import { SpawnError, type SpawnOptions } from "../platform.ts";
import { factsOfPath } from "./file_facts.ts";
import { constants, cString, errorNumbers, errorWords, libc } from "./libc.ts";
import { LinuxOutputPipe } from "./output_pipe.ts";
import { findProgram } from "./program_lookup.ts";
import { layOut } from "./spawn_arena.ts";

const { ENOENT, EACCES, ENOTDIR } = errorNumbers;
const SETPGROUP = 0x02;
const SETSIGDEF = 0x04;
const SETSIGMASK = 0x08;
const O_WRONLY = 1;
const signalSetBytes = 128;
// Both are larger than the C library's structures, which are opaque.
const attributesBytes = 512;
const fileActionsBytes = 256;

const attributes = groupLeaderAttributes();

/**
 * Starts the process and gives its pid.
 *
 * @throws SpawnError in the words users of the existing worker know: `fork/exec <path>: <system's words>`
 */
export function spawnGroupLeader(options: SpawnOptions): number {
  refuseNul(options);
  const program = findProgram(options.argv[0] ?? "", {
    cwd: options.cwd,
    searchPath: options.searchPath ?? options.env["PATH"],
  });
  const { path, argv } = withIdentity({ path: program, argv: options.argv }, options);
  const envp = Object.entries(options.env).map(([name, value]) => `${name}=${value}`);
  const { argv: argvList, envp: envpList } = layOut(argv, envp);
  const fileActions = prepareFileActions(options);
  const pid = new Int32Array(1);
  const error = libc.posix_spawn(pid, cString(path), fileActions, attributes, argvList, envpList);
  libc.posix_spawn_file_actions_destroy(fileActions);
  if (error !== 0) throw explain(error, { path, cwd: options.cwd });
  return pid[0] ?? -1;
}

/** Its own group; no signal blocked or ignored, since the runtime ignores SIGPIPE and children would inherit that. */
function groupLeaderAttributes(): Uint8Array<ArrayBuffer> {
  const made = new Uint8Array(new ArrayBuffer(attributesBytes));
  libc.posix_spawnattr_init(made);
  libc.posix_spawnattr_setflags(made, SETPGROUP | SETSIGDEF | SETSIGMASK);
  libc.posix_spawnattr_setpgroup(made, 0);
  libc.posix_spawnattr_setsigdefault(made, new Uint8Array(signalSetBytes).fill(0xff));
  libc.posix_spawnattr_setsigmask(made, new Uint8Array(signalSetBytes));
  return made;
}

function prepareFileActions({ cwd, output }: SpawnOptions): Uint8Array<ArrayBuffer> {
  const actions = new Uint8Array(new ArrayBuffer(fileActionsBytes));
  const nullDevice = cString("/dev/null");
  libc.posix_spawn_file_actions_init(actions);
  libc.posix_spawn_file_actions_addopen(actions, 0, nullDevice, 0, 0);
  if (output === undefined) {
    libc.posix_spawn_file_actions_addopen(actions, 1, nullDevice, O_WRONLY, 0);
  } else {
    libc.posix_spawn_file_actions_adddup2(actions, writeFdOf(output), 1);
  }
  libc.posix_spawn_file_actions_adddup2(actions, 1, 2);
  libc.posix_spawn_file_actions_addchdir_np(actions, cString(cwd));
  return actions;
}

function writeFdOf(output: NonNullable<SpawnOptions["output"]>): number {
  if (output instanceof LinuxOutputPipe) return output.writeFd;
  throw new Error("Cannot write to an output pipe that another platform made");
}

/** Other accounts go through util-linux's `setpriv`, which sets user, group and supplementary groups before exec. */
function withIdentity(command: { path: string; argv: readonly string[] }, { identity }: SpawnOptions) {
  if (identity === undefined) return command;
  const { uid, gid, groups } = identity;
  const groupWords = groups.length > 0 ? ["--groups", groups.join(",")] : ["--clear-groups"];
  const path = findProgram("setpriv", { cwd: "/", searchPath: "/usr/bin:/bin:/usr/sbin:/sbin" });
  const words = [path, "--reuid", String(uid), "--regid", String(gid), ...groupWords, "--"];
  return { path, argv: [...words, command.path, ...command.argv.slice(1)] };
}

function refuseNul({ argv, env, cwd }: SpawnOptions): void {
  const refuse = (what: string) => {
    throw new SpawnError(
      `fork/exec ${printable(argv[0] ?? "")}: invalid argument (${what} contains a NUL byte)`,
    );
  };
  argv.forEach((word, index) => word.includes("\0") && refuse(`word ${index} of the command`));
  if (cwd.includes("\0")) refuse("the working directory");
  for (const [name, value] of Object.entries(env)) {
    if (name.includes("\0") || value.includes("\0")) refuse(`environment variable ${printable(name)}`);
  }
}

function printable(text: string): string {
  return text.replaceAll("\0", "\\0");
}

function explain(error: number, { path, cwd }: { path: string; cwd: string }): SpawnError {
  const words = errorWords(error);
  const isPathProblem = error === ENOENT || error === EACCES || error === ENOTDIR;
  if (isPathProblem && !isEnterable(cwd)) return new SpawnError(`chdir ${cwd}: ${words}`);
  const hint = error === ENOENT ? missingInterpreter(isAbsolute(path) ? path : join(cwd, path)) : "";
  return new SpawnError(`fork/exec ${path}: ${words}${hint}`);
}

function isEnterable(directory: string): boolean {
  try {
    return factsOfPath(directory, { follow: true }).kind === "directory" &&
      libc.access(cString(directory), constants.X_OK) === 0;
  } catch {
    return false;
  }
}

/** The system says "no such file" of a script whose interpreter is missing, which leads people astray. */
function missingInterpreter(path: string): string {
  try {
    using file = Deno.openSync(path);
    const head = new Uint8Array(256);
    const text = new TextDecoder().decode(head.subarray(0, file.readSync(head) ?? 0));
    const interpreter = /^#![ \t]*([^ \t\n]+)/.exec(text)?.[1];
    return interpreter === undefined
      ? " (the file exists, but what must load it does not)"
      : ` (the file exists, but its interpreter ${JSON.stringify(interpreter)} does not)`;
  } catch {
    return "";
  }
}
