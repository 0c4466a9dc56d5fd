/** What the worker needs from an operating system. One folder beside this file per system implements it. */

/** The names the field uses for systems and processors in metadata (spec 01 §3.6). */
export type OperatingSystem = "linux" | "darwin" | "freebsd" | "windows";
export type Architecture = "amd64" | "arm64";

/** How a process ended. Exactly one of `code` and `signal` is set. */
export interface ExitStatus {
  /** Exit status, 0–255 (Windows: unsigned 32 bit). */
  readonly code?: number;
  /** Lower-case name of the signal that killed it, as in `signal: killed` (spec 02 §4.4). */
  readonly signal?: string;
  readonly coreDumped?: boolean;
  /** CPU time of the process and its reaped descendants, milliseconds. */
  readonly userTimeMs: number;
  readonly kernelTimeMs: number;
}

/** The accounts a process runs with; absent means those of the worker. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

/** Bytes that several processes write and the worker reads: stdout and stderr in the order of writing. */
export interface OutputPipe {
  /**
   * Delivers bytes to `consume` as they arrive until `close()`. The view is only valid during the call.
   * Called once. Nothing is read while `consume` runs, so a slow consumer slows the writers, never grows memory.
   */
  start(consume: (bytes: Uint8Array) => void): void;
  /** Delivers everything that was written before this call, without waiting for writers to close. */
  drain(): void;
  /** Ends delivery. Processes that still write get a broken pipe. */
  close(): void;
}

/** Words of a command, where and how it runs. */
export interface SpawnOptions {
  /** The words; the first names the program: with a slash a path (relative to `cwd`), else looked up in `searchPath`. */
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Directories to search, as in `PATH`. Default: `env.PATH`, else `/usr/local/bin:/usr/bin:/bin`. */
  readonly searchPath?: string;
  readonly identity?: Identity;
  /** Where stdout and stderr go. Default: nowhere. */
  readonly output?: OutputPipe;
}

/** A process the worker started: leader of a process group of its own, stdin from the null device. */
export interface SpawnedProcess {
  readonly pid: number;
  /** Settles when the process itself has ended and was reaped, whatever its children do. */
  readonly exited: Promise<ExitStatus>;
  /** Sends a signal to the whole group. Does nothing once the group is gone. */
  signalGroup(signal: "SIGTERM" | "SIGKILL"): void;
}

/** The process could not be started; the message is the system's own words (`no such file or directory`). */
export class SpawnError extends Error {
  override name = "SpawnError";
}

/** A call to the system failed; `code` is its POSIX name (`ENOENT`), the message says of what and in which words. */
export class SystemError extends Error {
  override name = "SystemError";
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** What kind of file something is. */
export type FileKind = "file" | "directory" | "symlink" | "other";

export interface FileFacts {
  readonly kind: FileKind;
  readonly sizeBytes: number;
  /** What an `other` is, where it matters for what a user is told. */
  readonly special?: "fifo" | "socket" | "device";
}

/** A regular file, open for reading. */
export interface ReadableFile {
  /** Reads into `buffer` from `offsetBytes` on; number of bytes, 0 at the end. @throws SystemError */
  readAt(buffer: Uint8Array, offsetBytes: number): Promise<number>;
  close(): void;
}

/** A file that was opened, and what it is. `file` is absent unless it is a regular file. */
export interface OpenedFile {
  readonly facts: FileFacts;
  readonly file: ReadableFile | undefined;
}

/** A name in a directory. `exact` is false when it is not UTF-8, so that no path made of it leads to the entry. */
export interface DirectoryName {
  readonly name: string;
  readonly exact: boolean;
}

/** One end of a TCP connection; the host as digits. */
export interface TcpAddress {
  readonly hostname: string;
  readonly port: number;
}

/** A TCP connection as the one who accepted it sees it. */
export interface ConnectionEnds {
  readonly local: TcpAddress;
  readonly remote: TcpAddress;
}

/** Who holds the other end: an account of this machine; nobody any more; or it is not a socket of this machine. */
export type ConnectionPeer =
  | { readonly kind: "account"; readonly uid: number }
  | { readonly kind: "closing" }
  | { readonly kind: "elsewhere" };

export interface MemoryFacts {
  readonly totalBytes: number;
  readonly availableBytes: number;
}

export interface Platform {
  readonly os: OperatingSystem;
  readonly arch: Architecture;
  /** Makes a pipe for the output of commands. */
  createOutputPipe(): OutputPipe;
  /** @throws SpawnError when the program can't be found or executed */
  spawn(options: SpawnOptions): SpawnedProcess;
  /**
   * Ends the group of a process that `spawn` started, and what left the group, and waits until none is left: TERM,
   * `graceMs`, KILL. True when none is left. Numbers that `spawn` did not give are left alone.
   */
  killGroup(pid: number, options: { graceMs: number }): Promise<boolean>;
  /** Kills all processes that were spawned and have not ended, and all they have started, without waiting. */
  killEverything(): void;
  /**
   * Ends, in the same way, every process on the machine that was started with all variables of one of these
   * environments, and their descendants: what ended runs left behind. One look at all processes, however many runs.
   */
  killMarked(
    environments: readonly Readonly<Record<string, string>>[],
    options: { graceMs: number },
  ): Promise<boolean>;
  /** Settles when no spawned process runs and no started pipe is open, so that nothing is in flight any more. */
  idle(): Promise<void>;
  memory(): MemoryFacts;
  /** Memory held by a process that `spawn` started and by everything it started; 0 once they have ended. */
  groupMemoryBytes(pid: number): number;
  /** Whose process is at the other end of a connection that was accepted on this machine? */
  connectionPeer(connection: ConnectionEnds): ConnectionPeer;
  /** Bytes an unprivileged user may still write on the file system that holds `path`. */
  freeDiskBytes(path: string): number;
  /** When the machine started, milliseconds since the epoch; undefined where unknown. */
  bootTimeMs(): number | undefined;
  /** Names of the groups the worker's own account belongs to, without the group named like the account. */
  ownGroups(): Promise<readonly string[]>;
  /** Does the machine have a store of trusted certificates of its own? */
  hasCertificateStore(): boolean;
  /** The directory for temporary files of this account. */
  temporaryDirectory(): string;
  /** Opens for reading, following symlinks, without ever blocking (FIFO) or side effects (terminals). @throws SystemError */
  openFile(path: string): OpenedFile;
  /** Facts without following a final symlink. @throws SystemError */
  lookAt(path: string): FileFacts;
  /** Names in a directory in byte order, without following a final symlink. @throws SystemError */
  listDirectory(path: string): DirectoryName[];
  /**
   * Copies a directory tree to where nothing is: owners, modes, times, links and holes too; blocks are shared where
   * the file system can.
   */
  copyTree(from: string, to: string): Promise<void>;
  /** Removes a directory tree whatever its permissions say; a missing one is fine. Follows no links. */
  removeTree(path: string): Promise<void>;
  /** Asks the system to halt; `privileged` says whether the worker may do so itself or needs sudo (spec 01 §6.10). */
  shutdown(reason: string, options: { privileged: boolean }): Promise<void>;
  reboot(reason: string, options: { privileged: boolean }): Promise<void>;
}
