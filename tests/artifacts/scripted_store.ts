/** A store that sees requests byte by byte and answers as a test tells it. */

import { Buffer } from "node:buffer";
import { localhostCertificate, localhostKey } from "./localhost_certificate.ts";

/** One request as it came. */
export interface SeenRequest {
  /** Request line and headers, as sent. */
  readonly head: string;
  /** What came of the body before the store answered. */
  readonly body: Uint8Array;
}

/** What the store does with one connection. */
export interface Script {
  /** How much of the body it reads before it answers. Default: all of it. */
  readonly readBytes?: number;
  /** The answer, byte for byte. Absent: none. */
  readonly answer?: string;
  /** Hang up after that? Default: only if there is no answer and `holdOpen` is not set. */
  readonly holdOpen?: boolean;
}

export const accepted = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: "1"\r\n\r\n';

/** Serves connections by the scripts in turn, the last one for all that follow. */
export class ScriptedStore implements AsyncDisposable {
  readonly url: string;
  readonly seen: SeenRequest[] = [];
  readonly #listener: Deno.Listener;
  readonly #scripts: readonly Script[];
  readonly #connections = new Set<Deno.Conn>();
  readonly #serving: Promise<void>;
  #accepted = 0;

  constructor(scripts: readonly Script[], { tls = false }: { tls?: boolean } = {}) {
    this.#scripts = scripts;
    const address = { hostname: "127.0.0.1", port: 0 };
    this.#listener = tls
      ? Deno.listenTls({ ...address, key: localhostKey, cert: localhostCertificate })
      : Deno.listen(address);
    const { port } = this.#listener.addr as Deno.NetAddr;
    this.url = `${tls ? "https" : "http"}://127.0.0.1:${port}/bucket/key%20name?signature=secret`;
    this.#serving = this.#serve();
  }

  get connections(): number {
    return this.#accepted;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) connection.close();
    await this.#serving;
  }

  async #serve(): Promise<void> {
    const talks: Promise<void>[] = [];
    try {
      for await (const connection of this.#listener) {
        this.#connections.add(connection);
        const script = this.#scripts[Math.min(this.#accepted, this.#scripts.length - 1)] ?? {};
        this.#accepted++;
        talks.push(this.#talk(connection, script).catch(() => {}));
      }
    } catch {
      // The listener was closed.
    }
    await Promise.all(talks);
  }

  async #talk(connection: Deno.Conn, script: Script): Promise<void> {
    try {
      while (await this.#converse(connection, script)) continue;
    } finally {
      if (!script.holdOpen) this.#close(connection);
    }
  }

  /** One request and its answer; false at the end of the connection. */
  async #converse(connection: Deno.Conn, script: Script): Promise<boolean> {
    const buffer = new Uint8Array(64 * 1024);
    let received = Buffer.alloc(0);
    const receive = async () => {
      const count = await connection.read(buffer);
      if (count !== null) received = Buffer.concat([received, buffer.subarray(0, count)]);
      return count !== null;
    };
    while (received.indexOf("\r\n\r\n") < 0) if (!await receive()) return false;
    const headEnd = received.indexOf("\r\n\r\n");
    const head = received.subarray(0, headEnd).toString("latin1");
    const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
    const wanted = headEnd + 4 + Math.min(script.readBytes ?? length, length);
    while (received.length < wanted) if (!await receive()) break;
    this.seen.push({ head, body: received.subarray(headEnd + 4) });
    if (script.answer === undefined) return false;
    await connection.write(new TextEncoder().encode(script.answer));
    return script.readBytes === undefined;
  }

  #close(connection: Deno.Conn): void {
    if (this.#connections.delete(connection)) connection.close();
  }
}
