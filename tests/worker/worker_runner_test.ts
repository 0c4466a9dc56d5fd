/** A worker under worker-runner: started by it, talking to it, ended by it (spec 01 §11). */

import assert from "node:assert/strict";
import { join } from "node:path";
import { decodeMessage, encodeMessage, type Message } from "../../src/runner/message.ts";
import { genericWorkerCommand } from "../support/generic_worker.ts";
import { type Deployment, shell, withDeployment } from "../support/worker.ts";

const everything = ["error-report", "graceful-termination", "log", "new-credentials", "shutdown"];

/** The worker-runner end of a worker started as its child. */
class Runner {
  readonly exited: Promise<number>;
  readonly messages: Message[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  #heard = Promise.withResolvers<void>();

  constructor(deployment: Deployment, configPath: string) {
    const { program, words, env } = genericWorkerCommand();
    this.#child = new Deno.Command(program, {
      args: [...words, "run", "--with-worker-runner", "--config", configPath],
      cwd: deployment.directory,
      env: { ...env, TMPDIR: deployment.directory },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.exited = this.#child.status.then(({ code }) => code);
    this.#reading = this.#read();
  }

  async say(message: Message): Promise<void> {
    await this.#input.write(new TextEncoder().encode(encodeMessage(message)));
  }

  async hangUp(): Promise<void> {
    await this.#input.close();
  }

  /** Waits for a message that fits. */
  async hears(fits: (message: Message) => boolean): Promise<Message> {
    while (true) {
      const found = this.messages.find(fits);
      if (found) return found;
      const ended = await Promise.race([this.#heard.promise, this.#reading.then(() => true)]);
      if (ended && !this.messages.some(fits)) throw new Error(`Never heard:\n${this.text}`);
    }
  }

  async hearsLog(text: string): Promise<void> {
    await this.hears((message) => JSON.stringify(message["body"] ?? "").includes(text));
  }

  get text(): string {
    return this.messages.map((message) => JSON.stringify(message)).join("\n");
  }

  async end(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#input.close().catch(() => {});
    await this.exited;
    await this.#reading;
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#receive(line);
    }
  }

  #receive(line: string): void {
    const message = decodeMessage(line);
    assert.ok(message, `standard output is the protocol's alone, but holds ${line}`);
    this.messages.push(message);
    const { resolve } = this.#heard;
    this.#heard = Promise.withResolvers<void>();
    resolve();
  }
}

async function withRunner(
  config: Readonly<Record<string, unknown>>,
  use: (runner: Runner, deployment: Deployment) => Promise<void>,
): Promise<void> {
  await withDeployment({ settings: { longPollMs: 200 } }, async (deployment) => {
    const runner = new Runner(deployment, await deployment.writeConfig(config));
    try {
      await use(runner, deployment);
    } finally {
      await runner.end();
    }
  });
}

const isReady = (message: Message) => JSON.stringify(message).includes("workerReady");

Deno.test("a worker under worker-runner logs through it, runs tasks, and ends with 72 when asked", async () => {
  await withRunner({}, async (runner, deployment) => {
    await runner.say({ type: "welcome", capabilities: everything });
    await runner.hears(isReady);
    assert.deepEqual(runner.messages[0], { type: "hello", capabilities: everything });
    const { resolution } = await deployment.run(shell('echo to stdout; echo \'~{"type":"shutdown"}\''));
    assert.equal(resolution, "completed/completed");
    await runner.say({ type: "graceful-termination", "finish-tasks": false });
    assert.equal(await runner.exited, 72);
    assert.ok(
      !runner.messages.some(({ type }) => type === "shutdown"),
      "K18: tasks can't speak to worker-runner",
    );
  });
});

Deno.test("a graceful termination with finish-tasks lets the running task finish", async () => {
  await withRunner({}, async (runner, deployment) => {
    await runner.say({ type: "welcome", capabilities: everything });
    const go = join(deployment.directory, "go");
    const taskId = deployment.createTask(shell(`until [ -e ${go} ]; do sleep 0.05; done`));
    await runner.hearsLog("Executing command 0");
    await runner.say({ type: "graceful-termination", "finish-tasks": true });
    await runner.hearsLog("Ending the worker");
    await Deno.writeTextFile(go, "");
    assert.equal((await deployment.resolved(taskId)).resolution, "completed/completed");
    assert.equal(await runner.exited, 72);
  });
});

Deno.test("K44: a worker whose worker-runner has gone aborts its task for a retry and ends with 72", async () => {
  await withRunner({}, async (runner, deployment) => {
    await runner.say({ type: "welcome", capabilities: everything });
    const taskId = deployment.createTask(shell("sleep 600"), { retries: 1 });
    await runner.hearsLog("Executing command 0");
    await runner.hangUp();
    const status = await deployment.taskcluster.queue.until(taskId, ({ runs }) => runs.length === 2);
    assert.equal(status.runs[0]?.reasonResolved, "worker-shutdown");
    assert.equal(await runner.exited, 72);
  });
});

Deno.test("new credentials replace the worker's own for the next claim", async () => {
  await withRunner({ accessToken: "wrong" }, async (runner, deployment) => {
    await runner.say({ type: "welcome", capabilities: everything });
    await runner.hearsLog("Could not claim work");
    const { clientId, accessToken } = deployment.taskcluster.credentials;
    await runner.say({
      type: "new-credentials",
      "client-id": clientId,
      "access-token": accessToken.reveal(),
    });
    const { resolution } = await deployment.run(shell("true"));
    assert.equal(resolution, "completed/completed");
    assert.ok(!runner.text.includes(accessToken.reveal()), "secrets stay out of the log");
  });
});

Deno.test("K45: a worker that worker-manager does not know says so once, and stays", async () => {
  await withRunner({}, async (runner, deployment) => {
    await runner.say({ type: "welcome", capabilities: everything });
    await deployment.run(shell("true"));
    await deployment.run(shell("true"));
    const lines = runner.messages.filter((message) => JSON.stringify(message).includes("ask worker-manager"));
    assert.equal(lines.length, 1);
    assert.ok(JSON.stringify(lines[0]).length < 300, JSON.stringify(lines[0]));
  });
});

Deno.test("a config that can't be used is reported through worker-runner", async () => {
  await withRunner({ capacity: 0 }, async (runner) => {
    await runner.say({ type: "welcome", capabilities: everything });
    assert.equal(await runner.exited, 73);
    const report = await runner.hears(({ type }) => type === "error-report");
    assert.match(String(report["description"]), /capacity/);
    assert.deepEqual(report["extra"], {});
  });
});

Deno.test("a worker that its pool does not want any more ends with 70 and asks for the end of the machine", async () => {
  await withRunner({}, async (runner, deployment) => {
    const { registry } = deployment.taskcluster.services.workerManager;
    const key = { workerPoolId: "local/worker", workerGroup: "tests", workerId: "worker-1" };
    registry.setWorker(key, { termination: { terminate: true, reason: "too many of them" } });
    await runner.say({ type: "welcome", capabilities: everything });
    assert.equal(await runner.exited, 70);
    await runner.hears(({ type }) => type === "shutdown");
  });
});

Deno.test("an idle worker ends with 68 only when worker-manager agrees", async () => {
  await withRunner({ idleTimeoutSecs: 1, shutdownMachineOnIdle: true }, async (runner, deployment) => {
    const { registry } = deployment.taskcluster.services.workerManager;
    const key = { workerPoolId: "local/worker", workerGroup: "tests", workerId: "worker-1" };
    registry.setWorker(key);
    await runner.say({ type: "welcome", capabilities: everything });
    await runner.hearsLog("wants this worker to stay");
    registry.setTermination(key, { terminate: true, reason: "idle" });
    const exitCode = await runner.exited;
    assert.ok(exitCode === 68 || exitCode === 70, `${exitCode}`);
    await runner.hears(({ type }) => type === "shutdown");
  });
});

Deno.test("a protocol pipe that can't be opened ends the worker with 78", async () => {
  await withDeployment({}, async (deployment) => {
    const { program, words, env } = genericWorkerCommand();
    const config = await deployment.writeConfig();
    const pipe = join(deployment.directory, "missing", "pipe");
    const { code, stderr } = await new Deno.Command(program, {
      args: [
        ...words,
        "run",
        "--config",
        config,
        "--with-worker-runner",
        "--worker-runner-protocol-pipe",
        pipe,
      ],
      cwd: deployment.directory,
      env,
    }).output();
    assert.equal(code, 78);
    assert.match(new TextDecoder().decode(stderr), /missing\/pipe-input/);
  });
});
