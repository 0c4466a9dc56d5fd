/**
 * The worker's side of the worker-runner protocol (spec 01 §11).
 *
 * Nothing here waits for worker-runner: what is said before it has said welcome is kept, and what it never asks for
 * goes elsewhere (weakness K17).
 */

import { errorText } from "../base/error_text.ts";
import type { Supervisor, SupervisorRequests } from "./supervisor.ts";
import { decodeMessage, encodeMessage, type Message } from "./message.ts";

/** What this worker understands, in the order of the alphabet. */
const ourCapabilities = [
  "error-report",
  "graceful-termination",
  "log",
  "new-credentials",
  "shutdown",
] as const;

export type Capability = typeof ourCapabilities[number];

export interface RunnerProtocolOptions {
  /** What worker-runner sends. */
  readonly input: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Sends bytes to worker-runner. */
  readonly write: (bytes: Uint8Array) => void;
  /** Takes what can't be sent. */
  readonly fallback: (line: string) => void;
}

/** Messages kept while worker-runner has not said welcome. */
const mostWaiting = 1000;

export class RunnerProtocol implements Supervisor {
  readonly #options: RunnerProtocolOptions;
  readonly #encoder = new TextEncoder();
  readonly #waiting: (() => void)[] = [];
  #common: ReadonlySet<string> | undefined;
  #requests: SupervisorRequests | undefined;
  #missed: ((requests: SupervisorRequests) => void)[] = [];
  #broken = false;
  readonly #ready = Promise.withResolvers<void>();

  constructor(options: RunnerProtocolOptions) {
    this.#options = options;
  }

  /** Reads messages until the stream ends; never throws. */
  async listen(): Promise<void> {
    try {
      let rest = "";
      for await (const text of this.#options.input.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + text).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) this.#receive(line);
      }
    } catch (error) {
      this.#options.fallback(`Could not read from worker-runner: ${errorText(error)}`);
    }
    this.giveUpWaiting();
    this.#ask((requests) => requests.ended());
  }

  /** Settles when worker-runner has said welcome, or is not waited for any longer. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Goes on without worker-runner's welcome: what was kept for it goes to the fallback. */
  giveUpWaiting(): void {
    this.#begin(this.#common ?? new Set());
  }

  /** Hands requests to the worker, those that came before it was ready first. */
  serve(requests: SupervisorRequests): void {
    this.#requests = requests;
    for (const missed of this.#missed.splice(0)) missed(requests);
  }

  /** Do both sides have it? False while worker-runner has not said welcome. */
  capable(capability: Capability): boolean {
    return this.#common?.has(capability) ?? false;
  }

  /** One message of the worker's log, without time: worker-runner adds its own (spec 01 §11.5). */
  log(message: string): void {
    const textPayload = message.replace(/\n+$/, "");
    this.#whenReady(() => {
      if (this.capable("log")) this.#send({ type: "log", body: { textPayload } });
      else this.#options.fallback(textPayload);
    });
  }

  /** Tells worker-manager, through worker-runner, what went wrong (spec 01 §11.4). */
  reportError(description: string, extra: Readonly<Record<string, string>>): void {
    if (!this.capable("error-report")) return;
    this.#send({
      type: "error-report",
      kind: "worker-error",
      title: "generic-worker error",
      description,
      extra,
    });
  }

  /** Asks for the end of the machine. False when worker-runner can't be asked. */
  shutdown(): boolean {
    if (!this.capable("shutdown") || this.#broken) return false;
    this.#send({ type: "shutdown" });
    return !this.#broken;
  }

  #receive(line: string): void {
    const message = decodeMessage(line);
    if (!message) {
      if (line.trim() !== "") this.log(line);
      return;
    }
    switch (message.type) {
      case "welcome":
        return this.#welcome(message);
      case "graceful-termination":
        return this.#gracefulTermination(message);
      case "new-credentials":
        return this.#newCredentials(message);
      default:
        return this.log(
          `Ignoring a message of worker-runner of unknown type ${JSON.stringify(message.type)}`,
        );
    }
  }

  #welcome(message: Message): void {
    const theirs = Array.isArray(message["capabilities"]) ? message["capabilities"] : [];
    this.#send({ type: "hello", capabilities: ourCapabilities });
    this.#begin(new Set(ourCapabilities.filter((capability) => theirs.includes(capability))));
  }

  #gracefulTermination(message: Message): void {
    const finishTasks = message["finish-tasks"];
    if (typeof finishTasks !== "boolean") return this.#malformed(message, "finish-tasks is not a boolean");
    this.#ask((requests) => requests.gracefulTermination({ finishTasks }));
  }

  #newCredentials(message: Message): void {
    const { "client-id": clientId, "access-token": accessToken, certificate } = message;
    if (typeof clientId !== "string" || typeof accessToken !== "string") {
      return this.#malformed(message, "client-id or access-token is missing");
    }
    const withCertificate = typeof certificate === "string" && certificate !== "" ? { certificate } : {};
    this.#ask((requests) => requests.newCredentials({ clientId, accessToken, ...withCertificate }));
  }

  /** Without its fields, which may be secret. */
  #malformed(message: Message, why: string): void {
    this.log(`WARNING: Ignoring a malformed ${message.type} message of worker-runner: ${why}`);
  }

  #ask(request: (requests: SupervisorRequests) => void): void {
    if (this.#requests) request(this.#requests);
    else this.#missed.push(request);
  }

  #whenReady(action: () => void): void {
    if (this.#common) return action();
    this.#waiting.push(action);
    if (this.#waiting.length > mostWaiting) this.#waiting.shift();
  }

  #begin(common: ReadonlySet<string>): void {
    this.#common = this.#broken ? new Set() : common;
    this.#ready.resolve();
    for (const action of this.#waiting.splice(0)) action();
  }

  /** A broken pipe is told once, and not through the pipe (weakness K17). */
  #send(message: Message): void {
    try {
      this.#options.write(this.#encoder.encode(encodeMessage(message)));
    } catch (error) {
      if (!this.#broken) this.#options.fallback(`Could not write to worker-runner: ${errorText(error)}`);
      this.#broken = true;
      this.#common = new Set();
      if (message.type === "log") this.#options.fallback(textOf(message));
    }
  }
}

function textOf(message: Message): string {
  return (message["body"] as { textPayload: string }).textPayload;
}
