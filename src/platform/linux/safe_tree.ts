/** The safe tree on Linux: every name is resolved one component at a time from directories held open. */

import type { RawPath } from "../../base/raw_path.ts";
import { type FileTime, type SafeFile, type SafeTree, SafeTreeError } from "../safe_tree.ts";
import { type Libc, openLibc } from "./safe_tree_libc.ts";

const heldDirectories = 256;
const longestPathBytes = 4095;
const mostLinks = 40;
const attempts = 8;

const arm = Deno.build.arch === "aarch64";
const oWriteOnly = 0o1;
const oCreate = 0o100;
const oExclusive = 0o200;
const oNonBlocking = 0o4000;
const oDirectory = arm ? 0o40000 : 0o200000;
const oNoFollow = arm ? 0o100000 : 0o400000;
const oCloseOnExec = 0o2000000;
const oPath = 0o10000000;
const currentDirectory = -100;
const newFile = oWriteOnly | oCreate | oExclusive | oNoFollow | oCloseOnExec;
const oldFile = oWriteOnly | oNonBlocking | oNoFollow | oCloseOnExec;
const heldDirectory = oPath | oDirectory | oNoFollow | oCloseOnExec;

const enoent = 2;
const enxio = 6;
const eexist = 17;
const enotdir = 20;
const einval = 22;
const eloop = 40;

/** A directory held open, and where it really is, seen from the root when it was opened. */
interface Held {
  readonly fd: number;
  readonly real: RawPath;
  pins: number;
}

/**
 * Opens an existing directory as a safe tree.
 *
 * Directories are held by descriptor, so whoever swaps one of them for a link changes nothing: what was opened stays
 * what it was. Whoever moves one elsewhere takes along what is written into it.
 *
 * @throws SafeTreeError when it is missing or no directory
 */
export function openSafeTree(directory: string): SafeTree {
  const libc = openLibc();
  const fd = libc.openat(currentDirectory, new TextEncoder().encode(`${directory}\0`), {
    flags: oPath | oDirectory | oCloseOnExec,
  });
  if (fd >= 0) return new LinuxSafeTree(libc, { fd, real: "", pins: 1 });
  const reason = libc.errorText();
  libc.close();
  throw new SafeTreeError("system", reason);
}

class LinuxSafeTree implements SafeTree {
  readonly #libc: Libc;
  readonly #root: Held;
  /** By path, the least recently used first. */
  readonly #held = new Map<RawPath, Held>();
  /** Real paths of directories that exist only because something lies in them. */
  readonly #implied = new Set<RawPath>();
  readonly #name = new Uint8Array(longestPathBytes + 1);
  readonly #target = new Uint8Array(longestPathBytes + 1);
  #lastPath: RawPath = "";
  #last: Held;

  constructor(libc: Libc, root: Held) {
    this.#libc = libc;
    this.#root = root;
    this.#last = root;
  }

  makeDirectory(path: RawPath, options: { mode: number }): void {
    if (path === "") return;
    const parent = this.#directory(parentOf(path), true);
    if (this.#libc.mkdirat(parent.fd, this.#nameOf(path), options.mode) === 0) return;
    if (this.#libc.errno() !== eexist) throw this.#systemError();
    const existing = this.#directory(path, false);
    if (this.#implied.delete(existing.real)) this.#setMode(existing, options.mode & ~Deno.umask());
  }

  createFile(path: RawPath, options: { mode: number }): SafeFile {
    const slash = path.lastIndexOf("/");
    const parentPath = slash < 0 ? "" : path.slice(0, slash);
    const parent = parentPath === this.#lastPath ? this.#last : this.#directory(parentPath, true);
    const fd = this.#libc.openat(parent.fd, this.#nameOf(path), { flags: newFile, mode: options.mode });
    return new LinuxSafeFile(this.#libc, fd >= 0 ? fd : this.#openExisting(parent, options.mode));
  }

  makeSymbolicLink(path: RawPath, target: RawPath): void {
    const parent = this.#directory(parentOf(path), true);
    const targetBytes = fillName(this.#target, target);
    if (this.#libc.symlinkat(targetBytes, parent.fd, this.#nameOf(path)) !== 0) throw this.#systemError();
  }

  makeHardLink(path: RawPath, target: RawPath): void {
    const parent = this.#directory(parentOf(path), true);
    parent.pins++;
    try {
      const from = this.#directory(parentOf(target), false);
      const name = fillName(this.#target, lastOf(target));
      if (this.#libc.linkat([from.fd, name], [parent.fd, this.#nameOf(path)]) !== 0) {
        throw this.#systemError();
      }
    } finally {
      parent.pins--;
    }
  }

  setModified(path: RawPath, time: FileTime): void {
    const parent = this.#directory(parentOf(path), false);
    if (this.#libc.setModifiedAt(parent.fd, path === "" ? dot : this.#nameOf(path), time) !== 0) {
      throw this.#systemError();
    }
  }

  close(): void {
    for (const held of this.#held.values()) this.#libc.closeFd(held.fd);
    this.#held.clear();
    this.#libc.closeFd(this.#root.fd);
    this.#libc.close();
  }

  /** The directory at `path`, held open at least until the next call, or as long as it is pinned. */
  #directory(path: RawPath, create: boolean, links = 0): Held {
    if (path === "") return this.#root;
    if (path === this.#lastPath) return this.#last;
    const known = this.#held.get(path);
    if (known !== undefined) {
      this.#held.delete(path);
      return this.#hold(path, known);
    }
    const parent = this.#directory(parentOf(path), create, links);
    const fd = this.#openDirectory(parent, path, create);
    if (fd >= 0) return this.#hold(path, { fd, real: joined(parent.real, lastOf(path)), pins: 0 });
    const error = this.#libc.errno();
    if (error !== enotdir && error !== eloop) throw this.#systemError();
    return this.#throughLink(parent, path, { create, links: links + 1 });
  }

  /** The descriptor, or a negative number with the reason in errno. */
  #openDirectory(parent: Held, path: RawPath, create: boolean): number {
    const name = this.#nameOf(path);
    const fd = this.#libc.openat(parent.fd, name, { flags: heldDirectory });
    if (fd >= 0 || !create || this.#libc.errno() !== enoent) return fd;
    if (this.#libc.mkdirat(parent.fd, name, 0o755) === 0) {
      this.#implied.add(joined(parent.real, lastOf(path)));
    } else if (this.#libc.errno() !== eexist) throw this.#systemError();
    return this.#libc.openat(parent.fd, name, { flags: heldDirectory });
  }

  /** Follows a link by hand: the kernel would follow it out of the tree. Not remembered, for it may change. */
  #throughLink(parent: Held, path: RawPath, options: { create: boolean; links: number }): Held {
    const { create, links } = options;
    const target = this.#libc.readlinkat(parent.fd, this.#nameOf(path));
    if (target === undefined) {
      if (this.#libc.errno() === einval) throw new SafeTreeError("not-a-directory", "not a directory");
      throw this.#systemError();
    }
    if (links > mostLinks) throw new SafeTreeError("system", "too many levels of symbolic links");
    if (target.startsWith("/")) throw leadsOutside();
    let at = parent;
    for (const part of target.split("/")) {
      if (part === "" || part === ".") continue;
      if (part === ".." && at.real === "") throw leadsOutside();
      const next = part === ".." ? parentOf(at.real) : joined(at.real, part);
      at = this.#directory(next, create && part !== "..", links);
    }
    return at;
  }

  #hold(path: RawPath, held: Held): Held {
    this.#held.set(path, held);
    this.#lastPath = path;
    this.#last = held;
    if (this.#held.size > heldDirectories) this.#releaseOldest();
    return held;
  }

  #releaseOldest(): void {
    for (const [path, held] of this.#held) {
      if (held.pins > 0 || held === this.#last) continue;
      this.#libc.closeFd(held.fd);
      this.#held.delete(path);
      return;
    }
  }

  /** Opens what is there already, or puts a new file in its place. */
  #openExisting(parent: Held, mode: number): number {
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (this.#libc.errno() !== eexist) throw this.#systemError();
      const fd = this.#libc.openat(parent.fd, this.#name, { flags: oldFile });
      if (fd >= 0 && this.#emptied(fd)) return fd;
      if (fd < 0) this.#explainUnopened();
      this.#libc.unlinkat(parent.fd, this.#name);
      const replaced = this.#libc.openat(parent.fd, this.#name, { flags: newFile, mode });
      if (replaced >= 0) return replaced;
    }
    throw new SafeTreeError("system", "another process keeps putting something in its place");
  }

  /** Truncates an ordinary file that has no other name; closes anything else. */
  #emptied(fd: number): boolean {
    const status = this.#libc.status(fd);
    if (status?.regular && status.links === 1 && this.#libc.truncate(fd, 0) === 0) return true;
    this.#libc.closeFd(fd);
    return false;
  }

  /** Returns when a pipe, socket or nothing any more is in the way, which replacing mends. */
  #explainUnopened(): void {
    const error = this.#libc.errno();
    if (error === eloop) {
      throw new SafeTreeError("link-in-place", "a symbolic link is in its place");
    }
    if (error !== enxio && error !== enoent) throw this.#systemError();
  }

  #setMode(directory: Held, mode: number): void {
    const fd = this.#libc.openat(directory.fd, dot, { flags: oDirectory | oNoFollow | oCloseOnExec });
    if (fd < 0) throw this.#systemError();
    const failed = this.#libc.fchmod(fd, mode) !== 0 ? this.#systemError() : undefined;
    this.#libc.closeFd(fd);
    if (failed) throw failed;
  }

  #nameOf(path: RawPath): Uint8Array {
    const name = fillName(this.#name, path, path.lastIndexOf("/") + 1);
    if (isDots(name)) throw new SafeTreeError("outside", "not a name of its own");
    return name;
  }

  #systemError(): SafeTreeError {
    const exists = this.#libc.errno() === eexist;
    return new SafeTreeError(exists ? "exists" : "system", this.#libc.errorText());
  }
}

class LinuxSafeFile implements SafeFile {
  readonly #libc: Libc;
  readonly #fd: number;
  #positionBytes = 0;
  #sparse = false;

  constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
  }

  write(bytes: Uint8Array): void {
    let rest = bytes;
    while (rest.length > 0) {
      const written = this.#sparse
        ? this.#libc.pwrite(this.#fd, rest, this.#positionBytes)
        : this.#libc.write(this.#fd, rest);
      if (written < 0) throw new SafeTreeError("system", this.#libc.errorText());
      this.#positionBytes += written;
      if (written === rest.length) return;
      rest = rest.subarray(written);
    }
  }

  skip(sizeBytes: number): void {
    if (sizeBytes === 0) return;
    this.#sparse = true;
    this.#positionBytes += sizeBytes;
  }

  close(modified?: FileTime): void {
    const problem = this.#finish(modified);
    const closed = this.#libc.closeFd(this.#fd) === 0;
    if (problem !== undefined) throw new SafeTreeError("system", problem);
    if (!closed) throw new SafeTreeError("system", this.#libc.errorText());
  }

  #finish(modified: FileTime | undefined): string | undefined {
    if (this.#sparse && this.#libc.truncate(this.#fd, this.#positionBytes) !== 0) {
      return this.#libc.errorText();
    }
    if (modified && this.#libc.setModified(this.#fd, modified) !== 0) return this.#libc.errorText();
    return undefined;
  }
}

const dot = new Uint8Array([0x2e, 0]);

/** Writes the name from `start` on into `buffer`, with the closing NUL that C wants. */
function fillName(buffer: Uint8Array, name: RawPath, start = 0): Uint8Array {
  const lengthBytes = name.length - start;
  if (lengthBytes > longestPathBytes) throw new SafeTreeError("system", "file name too long");
  for (let at = 0; at < lengthBytes; at++) {
    const byte = name.charCodeAt(start + at);
    if (byte === 0) throw new SafeTreeError("system", "a NUL byte in the name");
    buffer[at] = byte;
  }
  buffer[lengthBytes] = 0;
  return buffer;
}

/** Whether a C name is empty, `.` or `..`, which would reach beyond the directory it is looked up in. */
function isDots(name: Uint8Array): boolean {
  if (name[0] === 0) return true;
  return name[0] === 0x2e && (name[1] === 0 || (name[1] === 0x2e && name[2] === 0));
}

function parentOf(path: RawPath): RawPath {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

function lastOf(path: RawPath): RawPath {
  return path.slice(path.lastIndexOf("/") + 1);
}

function joined(parent: RawPath, name: RawPath): RawPath {
  return parent === "" ? name : `${parent}/${name}`;
}

function leadsOutside(): SafeTreeError {
  return new SafeTreeError("outside", "a symbolic link on the way leads outside");
}
