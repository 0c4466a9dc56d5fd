/** HTTP byte for byte: what a parser would tidy up is what these tests are about. */

const decoder = new TextDecoder("latin1");

/** A request as it arrived. */
export interface SeenRequest {
  readonly method: string;
  readonly target: string;
  /** Lines `Name: value` in order. */
  readonly lines: readonly string[];
  readonly body: Uint8Array;
  value(name: string): string | undefined;
}

/** Gives raw bytes to answer with; undefined closes the connection. */
export type Script = (
  request: SeenRequest,
  count: number,
) => string | undefined | Promise<string | undefined>;

/** A service that says exactly what it is told to. Use with `await using`. */
export class RawUpstream implements AsyncDisposable {
  readonly requests: SeenRequest[] = [];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns = new Set<Deno.Conn>();
  readonly #work: Promise<unknown>[] = [];
  readonly #script: Script;
  #seen = Promise.withResolvers<void>();
  /** Connections that were ever accepted. */
  connections = 0;

  constructor(script: Script) {
    this.#script = script;
    this.#work.push(this.#accept());
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  get rootUrl(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Waits until this many requests have arrived. */
  async saw(count: number): Promise<void> {
    while (this.requests.length < count) await this.#seen.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#conns) closeQuietly(conn);
    await Promise.all(this.#work);
  }

  async #accept(): Promise<void> {
    try {
      while (true) {
        const conn = await this.#listener.accept();
        this.connections++;
        this.#conns.add(conn);
        this.#work.push(this.#serve(conn));
      }
    } catch {
      // Closed.
    }
  }

  async #serve(conn: Deno.Conn): Promise<void> {
    const input = new Input(conn);
    try {
      while (true) {
        const request = await input.request();
        if (!request) break;
        this.requests.push(request);
        this.#seen.resolve();
        this.#seen = Promise.withResolvers();
        const answer = await this.#script(request, this.requests.length);
        if (answer === undefined) break;
        await send(conn, answer);
        if (/^connection: close/im.test(answer)) break;
      }
    } catch {
      // The proxy has gone.
    }
    closeQuietly(conn);
  }
}

/** One connection of a client. Use with `using`. */
export class RawClient implements Disposable {
  readonly conn: Deno.TcpConn;
  readonly input: Input;

  private constructor(conn: Deno.TcpConn) {
    this.conn = conn;
    this.input = new Input(conn);
  }

  static async connect(port: number, hostname = "127.0.0.1"): Promise<RawClient> {
    return new RawClient(await Deno.connect({ hostname, port }));
  }

  /** Sends a request and reads its answer. */
  async ask(text: string, options: { bodiless?: boolean } = {}): Promise<Answer> {
    await send(this.conn, text);
    return await this.input.answer(options);
  }

  [Symbol.dispose](): void {
    closeQuietly(this.conn);
  }
}

export interface Answer {
  readonly status: number;
  readonly lines: readonly string[];
  readonly body: string;
  values(name: string): string[];
}

export class Input {
  readonly #conn: Deno.Conn;
  #text = "";

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  async request(): Promise<SeenRequest | undefined> {
    if (this.#text === "" && !await this.#more()) return undefined;
    const { first, lines } = await this.#head();
    const [method = "", target = ""] = first.split(" ");
    const body = bytesOf(await this.#body(lines, ""));
    return { method, target, lines, body, value: (name) => valuesIn(lines, name)[0] };
  }

  async answer({ bodiless = false } = {}): Promise<Answer> {
    const { first, lines } = await this.#head();
    const status = Number(first.split(" ")[1]);
    const body = bodiless || status === 204 || status === 304 ? "" : await this.#body(lines, undefined);
    return { status, lines, body, values: (name) => valuesIn(lines, name) };
  }

  /** Everything until the other side closes. */
  async rest(): Promise<string> {
    while (await this.#more().catch(() => false)) continue;
    const text = this.#text;
    this.#text = "";
    return text;
  }

  async #head(): Promise<{ first: string; lines: string[] }> {
    const [first = "", ...lines] = (await this.#upTo("\r\n\r\n")).split("\r\n");
    return { first, lines };
  }

  async #body(lines: readonly string[], otherwise: "" | undefined): Promise<string> {
    const [length] = valuesIn(lines, "content-length");
    if (length !== undefined) return await this.#count(Number(length));
    if (valuesIn(lines, "transfer-encoding")[0] !== "chunked") return otherwise ?? await this.rest();
    let body = "";
    while (true) {
      const size = parseInt(await this.#upTo("\r\n"), 16);
      body += await this.#count(size);
      await this.#upTo("\r\n");
      if (size === 0) return body;
    }
  }

  async #upTo(end: string): Promise<string> {
    while (!this.#text.includes(end)) await this.#need();
    const at = this.#text.indexOf(end);
    const found = this.#text.slice(0, at);
    this.#text = this.#text.slice(at + end.length);
    return found;
  }

  async #count(length: number): Promise<string> {
    while (this.#text.length < length) await this.#need();
    const found = this.#text.slice(0, length);
    this.#text = this.#text.slice(length);
    return found;
  }

  async #need(): Promise<void> {
    if (!await this.#more()) throw new Error(`The connection ended after ${JSON.stringify(this.#text)}`);
  }

  async #more(): Promise<boolean> {
    const buffer = new Uint8Array(64 * 1024);
    const count = await this.#conn.read(buffer);
    if (count === null) return false;
    this.#text += decoder.decode(buffer.subarray(0, count));
    return true;
  }
}

/** Sends text, a character for a byte. */
export async function send(conn: Deno.Conn, text: string): Promise<void> {
  const bytes = bytesOf(text);
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

function valuesIn(lines: readonly string[], name: string): string[] {
  return lines.filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))
    .map((line) => line.slice(name.length + 1).trim());
}

function closeQuietly(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // Closed already.
  }
}
