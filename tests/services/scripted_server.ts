/** A server that answers each request with the bytes a test gives it, and then closes the connection. */

/** What a test wants to know of a request. */
export interface ScriptedRequest {
  /** 1 for the first. */
  readonly number: number;
  readonly path: string;
  readonly headers: Headers;
}

/** Bytes or text to send; a promise may be used to let the client wait. */
type Part = string | Uint8Array | Promise<unknown>;

export class ScriptedServer implements AsyncDisposable {
  readonly url: string;
  readonly requests: ScriptedRequest[] = [];
  readonly #listener: Deno.Listener;
  readonly #script: (request: ScriptedRequest) => readonly Part[];
  readonly #open = new Set<Deno.Conn>();
  readonly #serving: Promise<void>;

  constructor(script: (request: ScriptedRequest) => readonly Part[]) {
    this.#script = script;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.url = `http://127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;
    this.#serving = this.#serve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) connection.close();
    await this.#serving;
  }

  async #serve(): Promise<void> {
    const answers: Promise<void>[] = [];
    try {
      for await (const connection of this.#listener) answers.push(this.#answer(connection));
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
    await Promise.all(answers);
  }

  async #answer(connection: Deno.Conn): Promise<void> {
    this.#open.add(connection);
    try {
      const head = await readHead(connection);
      if (head === "") return;
      const [requestLine = "", ...lines] = head.split("\r\n");
      const headers = new Headers(
        lines.filter(Boolean).map((line): [string, string] => {
          const colon = line.indexOf(":");
          return [line.slice(0, colon), line.slice(colon + 1).trim()];
        }),
      );
      const request = { number: this.requests.length + 1, path: requestLine.split(" ")[1] ?? "", headers };
      this.requests.push(request);
      for (const part of this.#script(request)) await send(connection, part);
    } catch {
      // The client or the end of the test has closed the connection.
    } finally {
      if (this.#open.delete(connection)) close(connection);
    }
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // Closed at the end of the test.
  }
}

async function readHead(connection: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(4096);
  let head = "";
  while (!head.includes("\r\n\r\n")) {
    const count = await connection.read(buffer);
    if (count === null) return "";
    head += new TextDecoder("latin1").decode(buffer.subarray(0, count));
  }
  return head;
}

async function send(connection: Deno.Conn, part: Part): Promise<void> {
  if (part instanceof Promise) return void await part;
  const bytes = typeof part === "string" ? new TextEncoder().encode(part) : part;
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

/** The head of an answer: status line and headers. */
export function answerHead(status: string, headers: Readonly<Record<string, string | number>> = {}): string {
  const lines = Object.entries({ connection: "close", ...headers }).map(([name, value]) =>
    `${name}: ${value}\r\n`
  );
  return `HTTP/1.1 ${status}\r\n${lines.join("")}\r\n`;
}
