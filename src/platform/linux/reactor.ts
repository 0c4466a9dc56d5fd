/** Waits for everything the worker listens to with one system call that costs nothing while nothing happens. */

import { constants, errno, errorWords, libc } from "./libc.ts";

const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLLIN = 1;
const wakeToken = 0;
const eventsAtOnce = 64;
const turnsForListeners = 16;

// The kernel packs this structure on x86_64 only.
const eventLayout = Deno.build.arch === "x86_64"
  ? { sizeBytes: 12, tokenOffset: 4 }
  : { sizeBytes: 16, tokenOffset: 8 };

/**
 * Calls back, in the JavaScript thread, when file descriptors become readable. While nothing is watched nothing
 * is in flight, so that it neither keeps the process alive nor leaks.
 */
export class Reactor {
  readonly #epollFd = checked(libc.epoll_create1(constants.O_CLOEXEC), "Cannot create an epoll instance");
  readonly #wakeFd = checked(
    libc.eventfd(0, constants.O_CLOEXEC | constants.O_NONBLOCK),
    "Cannot create an eventfd",
  );
  readonly #events = new DataView(new ArrayBuffer(eventsAtOnce * eventLayout.sizeBytes));
  readonly #callbacks = new Map<number, () => void>();
  #lastToken = wakeToken;
  #running: Promise<void> | undefined;

  constructor() {
    this.#control(EPOLL_CTL_ADD, { fd: this.#wakeFd, token: wakeToken });
  }

  /**
   * Calls `ready` each time `fd` is readable, again and again until it has been read empty. Gives a function that
   * stops it, to be called before the descriptor is closed.
   */
  watch(fd: number, ready: () => void): () => void {
    // Tokens, not descriptors, name what is watched: a closed descriptor's number may be in use again already.
    const token = ++this.#lastToken;
    this.#control(EPOLL_CTL_ADD, { fd, token });
    this.#callbacks.set(token, ready);
    this.#running ??= this.#run();
    return () => this.#unwatch({ fd, token });
  }

  /** Settles when nothing is watched and nothing is in flight any more. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  #unwatch(watched: { fd: number; token: number }): void {
    if (!this.#callbacks.delete(watched.token)) return;
    this.#control(EPOLL_CTL_DEL, watched);
    if (this.#callbacks.size === 0) libc.eventfd_write(this.#wakeFd, 1n);
  }

  async #run(): Promise<void> {
    while (this.#callbacks.size > 0) {
      const count = await libc.epoll_wait(this.#epollFd, this.#events.buffer, eventsAtOnce, -1);
      for (let index = 0; index < count; index++) this.#dispatch(index);
      // Whoever waited for what happened goes on first: when that ends the watching, nobody need be woken up.
      for (let turn = 0; turn < turnsForListeners; turn++) await undefined;
    }
    this.#running = undefined;
  }

  #dispatch(index: number): void {
    const token = this.#events.getUint32(index * eventLayout.sizeBytes + eventLayout.tokenOffset, true);
    if (token === wakeToken) {
      libc.eventfd_read(this.#wakeFd, new BigUint64Array(1));
      return;
    }
    try {
      this.#callbacks.get(token)?.();
    } catch (error) {
      // One broken listener must not silence the others; the error goes where uncaught ones go.
      reportError(error);
    }
  }

  #control(operation: number, { fd, token }: { fd: number; token: number }): void {
    const event = new DataView(new ArrayBuffer(16));
    event.setUint32(0, EPOLLIN, true);
    event.setUint32(eventLayout.tokenOffset, token, true);
    checked(libc.epoll_ctl(this.#epollFd, operation, fd, event), "Cannot change what epoll watches");
  }
}

function checked(result: number, action: string): number {
  if (result === -1) throw new Error(`${action}: ${errorWords(errno())}`);
  return result;
}
