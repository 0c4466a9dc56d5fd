/** Connections to services, used again while both sides keep them open. */

import { ByteReader } from "./byte_reader.ts";
import type { UpstreamTarget } from "./upstream_target.ts";

/** One connection, for one request at a time. */
export interface UpstreamConnection {
  readonly conn: Deno.Conn;
  readonly reader: ByteReader;
  readonly key: string;
  /** It carried a request before, so the service may have closed it meanwhile. */
  readonly used: boolean;
}

interface IdleConnection {
  readonly connection: UpstreamConnection;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** Services close what is idle; those seen close after 60 s at the earliest. */
const idleMs = 15_000;
const mostIdle = 8;

export class UpstreamConnections {
  readonly #idle: IdleConnection[] = [];
  #closed = false;

  /** An idle connection, or with `fresh` and without one a new one. @throws the system's error; the signal's reason */
  async take(
    target: UpstreamTarget,
    { fresh, signal }: { fresh: boolean; signal: AbortSignal },
  ): Promise<UpstreamConnection> {
    const key = `${target.secure}:${target.hostname}:${target.port}`;
    const at = fresh ? -1 : this.#idle.findLastIndex(({ connection }) => connection.key === key);
    const [found] = at < 0 ? [] : this.#idle.splice(at, 1);
    if (found) {
      clearTimeout(found.timer);
      return found.connection;
    }
    const conn = await connect(target, signal);
    return { conn, reader: new ByteReader(conn), key, used: false };
  }

  /** Keeps it for the next request. */
  giveBack(connection: UpstreamConnection): void {
    if (this.#closed || this.#idle.length >= mostIdle) return close(connection.conn);
    const kept = { ...connection, used: true };
    const timer = setTimeout(() => this.#discard(kept), idleMs);
    Deno.unrefTimer(timer);
    this.#idle.push({ connection: kept, timer });
  }

  /** Closes the idle ones, and those given back later. */
  close(): void {
    this.#closed = true;
    for (const { connection, timer } of this.#idle.splice(0)) {
      clearTimeout(timer);
      close(connection.conn);
    }
  }

  #discard(connection: UpstreamConnection): void {
    const at = this.#idle.findIndex((one) => one.connection === connection);
    if (at < 0) return;
    this.#idle.splice(at, 1);
    close(connection.conn);
  }
}

/** Twice is as good as once. */
export function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // It broke before; closed it is.
  }
}

async function connect(target: UpstreamTarget, signal: AbortSignal): Promise<Deno.Conn> {
  signal.throwIfAborted();
  const dialling = dial(target);
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([dialling, aborted.promise]);
  } catch (error) {
    dialling.then(close, () => {});
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

async function dial({ secure, hostname, port }: UpstreamTarget): Promise<Deno.Conn> {
  const address = { hostname: hostname.replace(/^\[|\]$/g, ""), port };
  if (secure) return await Deno.connectTls({ ...address, alpnProtocols: ["http/1.1"] });
  const conn = await Deno.connect(address);
  conn.setNoDelay(true);
  return conn;
}
