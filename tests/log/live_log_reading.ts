/** A live log with its server on a port, and readers that look at every byte of the answer. */

import { join } from "node:path";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { ConnectionListener } from "../../src/exposure/connection_listener.ts";
import { LiveLogServer, type LiveLogServerOptions } from "../../src/log/live_log_server.ts";
import { TaskLog } from "../../src/log/task_log.ts";

/** What a test gets. */
export interface ServedTestLog {
  readonly log: TaskLog;
  readonly server: LiveLogServer;
  readonly port: number;
  readonly url: string;
  /** `/log/<token>` */
  readonly path: string;
  /** Output of the task. */
  print(text: string): void;
}

export type TestServerOptions = Partial<Omit<LiveLogServerOptions, "log">>;

/** Where a test does not bend time, readers on a busy machine get as much of it as they need. */
const patientDrainMs = 120_000;

/** Serves an empty log, calls `use`, ends everything. */
export async function withServedLog(
  use: (served: ServedTestLog) => Promise<void>,
  options: TestServerOptions = {},
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "live-log-" });
  const log = new TaskLog({ path: join(directory, "log") });
  const clock: Clock = options.clock ?? systemClock;
  const drain = options.clock ? {} : { drainMs: patientDrainMs };
  const server = new LiveLogServer({ ...drain, ...options, log, clock });
  const serving = new Set<Promise<void>>();
  const listener = new ConnectionListener({ hostname: "127.0.0.1", port: 0 }, (connection) => {
    const served = server.serve(connection).finally(() => serving.delete(served));
    serving.add(served);
    return served;
  });
  const path = server.path.reveal();
  const { port } = listener;
  try {
    await use({
      log,
      server,
      port,
      path,
      url: `http://127.0.0.1:${port}${path}`,
      print: (text) => log.write(new TextEncoder().encode(text)),
    });
  } finally {
    await listener.close();
    log.close();
    await server.stop();
    await Promise.all(serving);
    await Deno.remove(directory, { recursive: true });
  }
}

/** A bare connection: what goes out and comes in is up to the test. */
export class RawReader {
  readonly #connection: Deno.TcpConn;
  #text = "";

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  static async open(port: number): Promise<RawReader> {
    return new RawReader(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** Sends a GET, with more headers if wanted. */
  static async get(port: number, path: string, headers: readonly string[] = []): Promise<RawReader> {
    const reader = await RawReader.open(port);
    await reader.send([`GET ${path} HTTP/1.1`, "Host: x", ...headers, "", ""].join("\r\n"));
    return reader;
  }

  async send(text: string): Promise<void> {
    const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
    for (let sent = 0; sent < bytes.length;) sent += await this.#connection.write(bytes.subarray(sent));
  }

  /** Says that nothing more will be sent. */
  async closeWrite(): Promise<void> {
    await this.#connection.closeWrite();
  }

  /** All that arrived so far, once it contains `text`. @throws Error when the connection ends before */
  async until(text: string): Promise<string> {
    while (!this.#text.includes(text)) {
      if (!await this.#more()) throw new Error(`The connection ended before ${text}: ${this.#text}`);
    }
    return this.#text;
  }

  /** All that arrived until the connection ended, cleanly or not. */
  async toEnd(): Promise<string> {
    while (await this.#more()) continue;
    return this.#text;
  }

  close(): void {
    this.#connection.close();
  }

  async #more(): Promise<boolean> {
    const buffer = new Uint8Array(64 * 1024);
    const count = await this.#connection.read(buffer).catch(() => null);
    if (count === null) return false;
    for (let at = 0; at < count; at += 8192) {
      this.#text += String.fromCharCode(...buffer.subarray(at, Math.min(at + 8192, count)));
    }
    return true;
  }
}

/** Does this answer end as a whole chunked one does? */
export function isWhole(answer: string): boolean {
  return answer.endsWith("0\r\n\r\n");
}
