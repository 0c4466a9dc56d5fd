/** A proxy that relays connections to wherever it is told, and remembers what it was asked. */

/** What the proxy does when asked to connect. */
export type ProxyConduct =
  /** Connects to the port of this address on 127.0.0.1, whatever host was asked for. */
  | { readonly kind: "relay"; readonly to: string }
  | { readonly kind: "refuse"; readonly answer: string }
  /** Says nothing at all. */
  | { readonly kind: "silent" };

export class RelayingProxy implements AsyncDisposable {
  readonly port: number;
  /** Head of each request to the proxy itself. */
  readonly seen: string[] = [];
  readonly asked: Promise<void>;
  readonly #asked = Promise.withResolvers<void>();
  readonly #conduct: ProxyConduct;
  readonly #listener: Deno.TcpListener;
  readonly #connections = new Set<Deno.Conn>();
  readonly #serving: Promise<void>;

  constructor(conduct: ProxyConduct) {
    this.#conduct = conduct;
    this.asked = this.#asked.promise;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    this.#serving = this.#serve();
  }

  /** Variables of an environment that names this proxy. */
  variables(name: string, user = ""): (name: string) => string | undefined {
    const address = `http://${user}127.0.0.1:${this.port}`;
    return (wanted) => wanted === name ? address : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) this.#close(connection);
    await this.#serving;
  }

  async #serve(): Promise<void> {
    const talks: Promise<void>[] = [];
    try {
      for await (const connection of this.#listener) {
        this.#connections.add(connection);
        talks.push(this.#talk(connection).catch(() => {}).finally(() => this.#close(connection)));
      }
    } catch {
      // The listener was closed.
    }
    await Promise.all(talks);
  }

  async #talk(client: Deno.Conn): Promise<void> {
    const { head, rest } = await readHead(client);
    this.seen.push(head);
    this.#asked.resolve();
    if (this.#conduct.kind === "refuse") {
      return await writeAll(client, new TextEncoder().encode(this.#conduct.answer));
    }
    if (this.#conduct.kind === "silent") return void await client.read(new Uint8Array(1));
    const server = await Deno.connect({
      hostname: "127.0.0.1",
      port: Number(new URL(this.#conduct.to).port),
    });
    this.#connections.add(server);
    const opening = head.startsWith("CONNECT ")
      ? writeAll(client, new TextEncoder().encode("HTTP/1.1 200 Connection established\r\n\r\n"))
      : writeAll(server, new TextEncoder().encode(head + rest));
    await opening;
    try {
      await Promise.race([pipe(client, server), pipe(server, client)]);
    } finally {
      this.#close(server);
    }
  }

  #close(connection: Deno.Conn): void {
    if (this.#connections.delete(connection)) connection.close();
  }
}

async function readHead(connection: Deno.Conn): Promise<{ head: string; rest: string }> {
  const buffer = new Uint8Array(64 * 1024);
  let text = "";
  while (!text.includes("\r\n\r\n")) {
    const count = await connection.read(buffer);
    if (count === null) throw new Error("The client hung up");
    text += new TextDecoder("latin1").decode(buffer.subarray(0, count));
  }
  const end = text.indexOf("\r\n\r\n") + 4;
  return { head: text.slice(0, end), rest: text.slice(end) };
}

async function pipe(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
    await writeAll(to, buffer.subarray(0, count));
  }
}

async function writeAll(to: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}
