/** `local-taskcluster` as a process of its own, reached only through what it prints. */

import { strict as assert } from "node:assert";
import { genericWorkerCommand } from "./generic_worker.ts";

/** The environment variables that the command tells a shell to export. */
export type Deployment = Readonly<
  Record<"TASKCLUSTER_ROOT_URL" | "TASKCLUSTER_CLIENT_ID" | "TASKCLUSTER_ACCESS_TOKEN", string>
>;

export interface LocalTaskclusterProcess {
  readonly deployment: Deployment;
  /** Sends the signal and waits for the end; gives the exit code. */
  stop(signal: "SIGTERM" | "SIGINT"): Promise<number>;
}

/** Starts an empty deployment on a free port. */
export async function startLocalTaskcluster(): Promise<LocalTaskclusterProcess> {
  const command = genericWorkerCommand();
  const child = new Deno.Command(command.program, {
    args: [...command.words, "local-taskcluster"],
    env: command.env,
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const script = await firstLines(child.stdout, 3);
  return {
    deployment: {
      TASKCLUSTER_ROOT_URL: exported(script, "TASKCLUSTER_ROOT_URL"),
      TASKCLUSTER_CLIENT_ID: exported(script, "TASKCLUSTER_CLIENT_ID"),
      TASKCLUSTER_ACCESS_TOKEN: exported(script, "TASKCLUSTER_ACCESS_TOKEN"),
    },
    async stop(signal) {
      child.kill(signal);
      return (await child.status).code;
    },
  };
}

async function firstLines(output: ReadableStream<Uint8Array<ArrayBuffer>>, count: number): Promise<string> {
  const reader = output.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (text.split("\n").length <= count) {
    const { value, done } = await reader.read();
    assert.ok(!done, `local-taskcluster ended after it printed ${JSON.stringify(text)}`);
    text += value;
  }
  await reader.cancel();
  return text;
}

function exported(script: string, name: string): string {
  const value = new RegExp(`^export ${name}=(.*)$`, "m").exec(script)?.[1];
  assert.ok(value, `local-taskcluster exports ${name}`);
  return value;
}
