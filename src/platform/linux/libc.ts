/** The C library's functions that the runtime has no door to, and the errors they report. */

const library = Deno.dlopen("libc.so.6", {
  __errno_location: { parameters: [], result: "pointer" },
  strerror: { parameters: ["i32"], result: "pointer" },
  syscall: { parameters: ["i64", "i32", "i32", "pointer", "u32"], result: "i32" },
  getdents64: { parameters: ["i32", "buffer", "usize"], result: "i32" },

  posix_spawn: { parameters: ["buffer", "buffer", "buffer", "buffer", "buffer", "buffer"], result: "i32" },
  posix_spawn_file_actions_init: { parameters: ["buffer"], result: "i32" },
  posix_spawn_file_actions_destroy: { parameters: ["buffer"], result: "i32" },
  posix_spawn_file_actions_adddup2: { parameters: ["buffer", "i32", "i32"], result: "i32" },
  posix_spawn_file_actions_addopen: { parameters: ["buffer", "i32", "buffer", "i32", "u32"], result: "i32" },
  posix_spawn_file_actions_addchdir_np: { parameters: ["buffer", "buffer"], result: "i32" },
  posix_spawnattr_init: { parameters: ["buffer"], result: "i32" },
  posix_spawnattr_setflags: { parameters: ["buffer", "i16"], result: "i32" },
  posix_spawnattr_setpgroup: { parameters: ["buffer", "i32"], result: "i32" },
  posix_spawnattr_setsigdefault: { parameters: ["buffer", "buffer"], result: "i32" },
  posix_spawnattr_setsigmask: { parameters: ["buffer", "buffer"], result: "i32" },
  wait4: { parameters: ["i32", "buffer", "i32", "buffer"], result: "i32" },
  kill: { parameters: ["i32", "i32"], result: "i32" },
  signal: { parameters: ["i32", "pointer"], result: "pointer" },

  open: { parameters: ["buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "i32" },
  preadAside: {
    name: "pread",
    parameters: ["i32", "buffer", "usize", "i64"],
    result: "i32",
    nonblocking: true,
  },
  statx: { parameters: ["i32", "buffer", "i32", "u32", "buffer"], result: "i32" },
  access: { parameters: ["buffer", "i32"], result: "i32" },
  pipe2: { parameters: ["buffer", "i32"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  ioctl: { parameters: ["i32", "usize", "buffer"], result: "i32" },
  statvfs: { parameters: ["buffer", "buffer"], result: "i32" },

  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32", nonblocking: true },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  eventfd_write: { parameters: ["i32", "u64"], result: "i32" },
  eventfd_read: { parameters: ["i32", "buffer"], result: "i32" },

  geteuid: { parameters: [], result: "u32" },
  getegid: { parameters: [], result: "u32" },
  getgroups: { parameters: ["i32", "buffer"], result: "i32" },
  getgrgid: { parameters: ["u32"], result: "pointer" },
  getpwuid: { parameters: ["u32"], result: "pointer" },
});

/**
 * The functions, under their C names. A result of -1 means that `errno()` says why; not so after `…Aside`, which work
 * on another thread.
 */
export const libc = library.symbols;

/** Numbers that are the same on every Linux architecture the worker is built for. */
export const constants = {
  O_RDONLY: 0,
  O_NOCTTY: 0o400,
  O_NONBLOCK: 0o4000,
  O_CLOEXEC: 0o2000000,
  F_SETFD: 2,
  F_GETFL: 3,
  F_SETFL: 4,
  FD_CLOEXEC: 1,
  F_SETPIPE_SZ: 1031,
  FIONREAD: 0x541bn,
  X_OK: 1,
  AT_FDCWD: -100,
  AT_SYMLINK_NOFOLLOW: 0x100,
  AT_EMPTY_PATH: 0x1000,
  WNOHANG: 1,
  SIGKILL: 9,
  SIGTERM: 15,
  SIGCHLD: 17,
  SYS_pidfd_send_signal: 424n,
  SYS_pidfd_open: 434n,
} as const;

/** `O_DIRECTORY` and `O_NOFOLLOW` differ between architectures. */
export const directoryFlags = Deno.build.arch === "aarch64"
  ? { O_DIRECTORY: 0o40000, O_NOFOLLOW: 0o100000 }
  : { O_DIRECTORY: 0o200000, O_NOFOLLOW: 0o400000 };

/** Error numbers, with the names POSIX gives them. */
export const errorNumbers = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  ENOEXEC: 8,
  ECHILD: 10,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ETXTBSY: 26,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ELOOP: 40,
} as const;

// The address belongs to the thread that runs JavaScript, which never changes.
const errnoView = new Deno.UnsafePointerView(present(libc.__errno_location()));

/** Why the call just made failed. Only right directly after it. */
export function errno(): number {
  return errnoView.getInt32();
}

/** The system's own words for an error number, beginning with a small letter. */
export function errorWords(number: number): string {
  const text = cText(libc.strerror(number));
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** POSIX name of an error number (`ENOENT`), or `E<number>` for the rare ones. */
export function errorName(number: number): string {
  const known = Object.entries(errorNumbers).find(([, value]) => value === number);
  return known?.[0] ?? `E${number}`;
}

/** The zero-terminated text at an address. */
export function cText(pointer: Deno.PointerValue): string {
  return new Deno.UnsafePointerView(present(pointer)).getCString();
}

/** A text as the C library takes it. The text must not contain NUL. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(`${text}\0`));
}

function present(pointer: Deno.PointerValue): Deno.PointerObject {
  if (pointer === null) throw new Error("The C library gave no address where it must give one");
  return pointer;
}
