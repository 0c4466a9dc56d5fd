/** Accepts TCP connections at an address and hands each of them on, until it is closed. */

/** What serves a connection; it closes the connection when it is done, and never throws. */
export type ServeConnection = (connection: Deno.TcpConn) => Promise<void>;

/** After a failure to accept (no descriptors left), so that it does not become a busy loop. */
const pauseAfterFailureMs = 100;

export class ConnectionListener {
  readonly #listener: Deno.TcpListener;
  readonly #serve: ServeConnection;
  readonly #accepting: Promise<void>;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #endPause: (() => void) | undefined;
  #closed = false;

  /** Listens at once. @throws Deno.errors.AddrInUse, or what else the system says */
  constructor(address: { hostname: string; port: number }, serve: ServeConnection) {
    this.#listener = Deno.listen(address);
    this.#serve = serve;
    this.#accepting = this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** Connections stay open. Settles when the address is free again. Twice is as good as once. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#listener.close();
      clearTimeout(this.#pause);
      this.#endPause?.();
    }
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    while (!this.#closed) {
      try {
        void this.#serve(await this.#listener.accept());
      } catch {
        // A client that gave up early, or a lack of descriptors: the next one may have more luck.
        if (!this.#closed) await this.#rest();
      }
    }
  }

  async #rest(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#endPause = resolve;
      this.#pause = setTimeout(resolve, pauseAfterFailureMs);
    });
  }
}
