/** The pipe that the commands of a run write and the worker reads: one order of bytes, no waiting for writers. */

import type { OutputPipe } from "../platform.ts";
import { constants, errno, errorWords, libc } from "./libc.ts";
import type { Reactor } from "./reactor.ts";

/** The largest the kernel grants without privileges by default. */
const pipeSizeBytes = 1 << 20;
const bufferBytes = 256 << 10;
/** After this much the event loop gets a turn, so that a flood of output does not stall reclaims. */
const turnBytes = 2 << 20;

export class LinuxOutputPipe implements OutputPipe {
  readonly #reactor: Reactor;
  readonly #readFd: number;
  readonly #writeFd: number;
  #buffer = new Uint8Array(0);
  #consume: ((bytes: Uint8Array) => void) | undefined;
  #unwatch: (() => void) | undefined;
  #closed = false;

  /** @throws Error when the system has no descriptors left */
  constructor(reactor: Reactor) {
    this.#reactor = reactor;
    const fds = new Int32Array(2);
    if (libc.pipe2(fds, constants.O_CLOEXEC) === -1) {
      throw new Error(`Cannot make a pipe for the output of commands: ${errorWords(errno())}`);
    }
    [this.#readFd, this.#writeFd] = [fds[0] ?? -1, fds[1] ?? -1];
    // Refused when the account has used up its share of pipe memory: then it stays at 64 KiB, only slower.
    libc.fcntl(this.#readFd, constants.F_SETPIPE_SZ, pipeSizeBytes);
    const flags = libc.fcntl(this.#readFd, constants.F_GETFL, 0);
    libc.fcntl(this.#readFd, constants.F_SETFL, flags | constants.O_NONBLOCK);
  }

  /** The end that commands write to; the worker keeps it, so that readers never see an end. */
  get writeFd(): number {
    if (this.#closed) throw new Error("Cannot hand out an output pipe that was closed");
    return this.#writeFd;
  }

  start(consume: (bytes: Uint8Array) => void): void {
    if (this.#consume) throw new Error("An output pipe can be started only once");
    if (this.#closed) return;
    this.#consume = consume;
    this.#buffer = new Uint8Array(bufferBytes);
    this.#unwatch = this.#reactor.watch(this.#readFd, () => this.#readUpTo(turnBytes));
  }

  drain(): void {
    if (this.#closed || !this.#consume) return;
    // What is in the pipe now is all that was written before; a writer that goes on must not hold us here.
    const waiting = new Int32Array(1);
    libc.ioctl(this.#readFd, constants.FIONREAD, waiting);
    this.#readUpTo(waiting[0] ?? 0);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unwatch?.();
    libc.close(this.#readFd);
    libc.close(this.#writeFd);
    this.#buffer = new Uint8Array(0);
  }

  /** Reads until that many bytes were delivered, the pipe is empty, or the consumer closed it. */
  #readUpTo(bytes: number): void {
    let left = bytes;
    while (left > 0 && !this.#closed) {
      const wanted = Math.min(left, this.#buffer.length);
      const count = libc.read(this.#readFd, this.#buffer, BigInt(wanted));
      if (count <= 0) return;
      left -= count;
      this.#consume?.(this.#buffer.subarray(0, count));
    }
  }
}
