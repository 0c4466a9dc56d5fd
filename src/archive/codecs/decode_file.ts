/** The decompressed bytes of a file, decompressed on another thread where that pays. */

import { Damage } from "../archive_error.ts";
import type { Codec } from "./codec.ts";
import type { DecodeReply, DecodeRequest } from "./decode_worker.ts";
import { readPieces } from "./read_pieces.ts";

/** Below this a thread takes longer to start than it saves. */
const worthAThreadBytes = 4 * 1024 * 1024;

/** What `decodeFile` takes. */
export interface DecodeFileOptions {
  readonly codec: Codec;
  readonly signal?: AbortSignal | undefined;
  /** Use another thread for files of this size on. Default 4 MiB. */
  readonly threadFromBytes?: number;
}

/** Yields the decompressed content of the file. @throws Damage, the signal's reason, errors of reading */
export async function* decodeFile(path: string, options: DecodeFileOptions): AsyncGenerator<Uint8Array> {
  const { codec, signal, threadFromBytes = worthAThreadBytes } = options;
  const sizeBytes = (await Deno.stat(path)).size;
  const pieces = sizeBytes < threadFromBytes ? codec.decode(readPieces(path)) : decodeOnThread(path, codec);
  for await (const piece of pieces) {
    signal?.throwIfAborted();
    yield piece;
  }
}

async function* decodeOnThread(path: string, codec: Codec): AsyncGenerator<Uint8Array> {
  const worker = new Worker(new URL("./decode_worker.ts", import.meta.url), { type: "module" });
  const replies = repliesOf(worker);
  const ask = (request: DecodeRequest, transfer: Transferable[] = []) =>
    worker.postMessage(request, transfer);
  let running = true;
  try {
    ask({ path, codec: codec.name });
    while (running) {
      const reply = await replies.next();
      if (reply.problem || reply.piece === undefined) running = false;
      if (reply.problem) throw errorOf(reply.problem);
      if (reply.piece === undefined) return;
      yield reply.piece;
      ask({ usedUp: reply.piece }, [reply.piece.buffer]);
    }
  } finally {
    // The thread frees what the codec holds outside of the runtime's memory before it is ended.
    if (running) ask("stop");
    while (running) running = (await replies.next()).piece !== undefined;
    worker.terminate();
  }
}

/** The thread's replies in order, kept until they are asked for. */
function repliesOf(worker: Worker): { next(): Promise<DecodeReply> } {
  const waiting: DecodeReply[] = [];
  let wake = () => {};
  const deliver = (reply: DecodeReply) => {
    waiting.push(reply);
    wake();
  };
  worker.onmessage = (event: MessageEvent<DecodeReply>) => deliver(event.data);
  worker.onerror = (event) => {
    event.preventDefault();
    deliver({ problem: { kind: "bug", message: `The decompressing thread failed: ${event.message}` } });
  };
  return {
    async next() {
      while (true) {
        const reply = waiting.shift();
        if (reply) return reply;
        await new Promise<void>((resolve) => wake = resolve);
      }
    },
  };
}

function errorOf(problem: NonNullable<DecodeReply["problem"]>): Error {
  return problem.kind === "bug" ? new Error(problem.message) : new Damage(problem.message);
}
