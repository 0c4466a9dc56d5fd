/** Gets the text that `run-task` is given: from a file, standard input, a URL, or a task id of a public deployment. */

import { isTaskId, taskIdText } from "../../base/task_id.ts";
import { formatByteSize } from "../../base/byte_size.ts";
import { errorText } from "../../base/error_text.ts";
import { LinkedSignal } from "../../base/linked_signal.ts";
import { printError } from "../terminal.ts";
import { RunTaskError } from "./run_task_error.ts";

/** The queue takes no definition above this, and nobody writes one. */
const mostBytes = 10 * 1024 * 1024;
const downloadTimeoutMs = 60_000;

/** Pages and calls that are about one task; the last id of such an address is the task's. */
const taskAddress = new RegExp(`^/(?:tasks|api/queue/v1/task)/.*?(${taskIdText})(?:/(?!tasks/).*)?$`);

export interface ReadSourceOptions {
  /** The deployment that a bare task id belongs to. */
  readonly rootUrl?: string;
  /** Ends the wait for standard input or the network. */
  readonly signal: AbortSignal;
}

/** @throws RunTaskError when there is nothing to read, or it is no text; the signal's reason */
export async function readSource(source: string, options: ReadSourceOptions): Promise<string> {
  if (source === "-") return await readStandardInput(options);
  if (/^https?:\/\//i.test(source)) return await download(definitionUrl(source), options);
  if (isTaskId(source) && !await exists(source)) {
    return await download(urlOfId(source, options), options);
  }
  return await readFile(source, options);
}

async function readStandardInput(options: ReadSourceOptions): Promise<string> {
  if (Deno.stdin.isTerminal()) printError("run-task: type or paste a task, then press Ctrl-D\n");
  return await textOf(Deno.stdin.readable, { name: "Standard input", ...options });
}

async function readFile(path: string, options: ReadSourceOptions): Promise<string> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
    if ((await file.stat()).isDirectory) {
      file.close();
      throw new Deno.errors.IsADirectory();
    }
  } catch (error) {
    throw new RunTaskError(whyUnreadable(path, error), { cause: error });
  }
  return await textOf(file.readable, { name: path, ...options });
}

function whyUnreadable(path: string, error: unknown): string {
  if (path === "") {
    return "The name of the file is empty. Give a task definition or payload, or - for standard input";
  }
  if (error instanceof Deno.errors.NotFound) {
    const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(path)?.[1];
    return scheme
      ? `Cannot read ${path}: tasks are read from files and from http and https addresses, not from ${scheme}`
      : `There is no file ${path}`;
  }
  if (error instanceof Deno.errors.IsADirectory) {
    return `${path} is a directory. Give the file that holds the task`;
  }
  if (error instanceof Deno.errors.PermissionDenied) return `This account may not read ${path}`;
  return `Could not read ${path}: ${errorText(error)}`;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

function urlOfId(taskId: string, { rootUrl }: ReadSourceOptions): string {
  if (!rootUrl) {
    throw new RunTaskError(
      `${taskId} is a task id, but of which deployment? Set TASKCLUSTER_ROOT_URL, or give the URL of the task`,
    );
  }
  if (!URL.canParse(rootUrl)) {
    throw new RunTaskError(
      `TASKCLUSTER_ROOT_URL is ${rootUrl}, which is no URL. It should look like https://tc.example.com`,
    );
  }
  return `${rootUrl.replace(/\/+$/, "")}/api/queue/v1/task/${taskId}`;
}

/** The address of a task's page, log or status stands for its definition. */
function definitionUrl(text: string): string {
  if (!URL.canParse(text)) throw new RunTaskError(`${text} is no URL`);
  const { origin, pathname } = new URL(text);
  const taskId = taskAddress.exec(pathname)?.[1];
  return taskId === undefined ? text : `${origin}/api/queue/v1/task/${taskId}`;
}

async function download(url: string, options: ReadSourceOptions): Promise<string> {
  using linked = new LinkedSignal([options.signal], { timeoutMs: downloadTimeoutMs });
  let response: Response;
  try {
    response = await fetch(url, { signal: linked.signal });
  } catch (error) {
    options.signal.throwIfAborted();
    const reason = errorText(error).split(": ").at(-1)?.replace(/ \(os error \d+\)$/, "");
    throw new RunTaskError(`Could not reach ${url}: ${reason}`, { cause: error });
  }
  if (response.ok && response.body) return await textOf(response.body, { name: url, ...options });
  await response.body?.cancel();
  throw new RunTaskError(
    `Could not read ${url}: HTTP ${response.status}. Is the task public, and the id right?`,
  );
}

/** All of a stream as text, without a byte order mark. */
async function textOf(
  stream: ReadableStream<Uint8Array>,
  { name, signal }: { name: string; signal: AbortSignal },
): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const bytes = await bytesOf(stream, { name, signal });
  try {
    return decoder.decode(bytes);
  } catch {
    throw new RunTaskError(`${name} is not text in UTF-8, so it is neither JSON nor YAML`);
  }
}

async function bytesOf(
  stream: ReadableStream<Uint8Array>,
  { name, signal }: { name: string; signal: AbortSignal },
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let sizeBytes = 0;
  const reader = stream.getReader();
  const interrupted = rejection(signal);
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), interrupted.promise]);
      if (done) return new Uint8Array(await new Blob(parts).arrayBuffer());
      parts.push(value.slice());
      sizeBytes += value.length;
      if (sizeBytes > mostBytes) {
        throw new RunTaskError(
          `${name} has more than ${formatByteSize(mostBytes)}, which is too large for a task`,
        );
      }
    }
  } catch (error) {
    if (error instanceof RunTaskError || signal.aborted) throw error;
    throw new RunTaskError(`Could not read ${name}: ${errorText(error)}`, { cause: error });
  } finally {
    interrupted.stop();
    reader.cancel().catch(() => {});
  }
}

/** Rejects when the signal aborts; standard input itself can't be told to stop waiting. */
function rejection(signal: AbortSignal): { promise: Promise<never>; stop: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  return { promise, stop: () => signal.removeEventListener("abort", abort) };
}
