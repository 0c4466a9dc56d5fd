/** The two ends of the stream to worker-runner (spec 01 §11.1). */

import { errorText } from "../base/error_text.ts";

export interface RunnerStream {
  readonly input: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly write: (bytes: Uint8Array) => void;
}

/** The pipes can't be opened (exit code 78). */
export class PipeError extends Error {
  override name = "PipeError";
}

/**
 * Opens `<pipe>-input` for writing and `<pipe>-output` for reading; without a name, standard output and input.
 *
 * @throws PipeError
 */
export async function openRunnerStream(pipe: string | undefined): Promise<RunnerStream> {
  if (pipe === undefined) {
    return {
      input: Deno.stdin.readable,
      write: (bytes) => writeAll(Deno.stdout, bytes),
    };
  }
  const output = await open(`${pipe}-input`, { write: true });
  const { readable } = await open(`${pipe}-output`, { read: true });
  return { input: readable, write: (bytes) => writeAll(output, bytes) };
}

async function open(path: string, options: Deno.OpenOptions): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, options);
  } catch (error) {
    throw new PipeError(`Could not open ${path} to talk to worker-runner: ${errorText(error)}`);
  }
}

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += stream.writeSync(bytes.subarray(written));
}
