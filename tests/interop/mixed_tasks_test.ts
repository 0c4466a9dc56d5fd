/**
 * The acceptance of the whole: the program, copied alone into an empty directory with a config file, runs two
 * hundred mixed tasks that the stock Python client creates, and leaves nothing behind.
 */

import { strict as assert } from "node:assert";
import { basename, join } from "node:path";
import { genericWorkerCommand } from "../support/generic_worker.ts";
import { type Deployment, withDeployment } from "./deployment.ts";
import { pythonClient } from "./python_client.ts";

const client = await pythonClient();
const megabyte = 1024 * 1024;

/** Starts the worker with nothing around it but its config file; its log goes to a file. */
async function startWorker(directory: string, deployment: Deployment): Promise<Deno.ChildProcess> {
  const command = genericWorkerCommand();
  const alone = command.words.length === 0;
  const program = alone ? join(directory, basename(command.program)) : command.program;
  if (alone) await Deno.copyFile(command.program, program);
  await Deno.mkdir(join(directory, "tmp"));
  const config = {
    rootURL: deployment.TASKCLUSTER_ROOT_URL,
    clientId: deployment.TASKCLUSTER_CLIENT_ID,
    accessToken: deployment.TASKCLUSTER_ACCESS_TOKEN,
    provisionerId: "interop",
    workerType: "python",
    workerGroup: "lab",
    workerId: "box-1",
    capacity: 4,
    requiredDiskSpaceMegabytes: 1,
    ed25519SigningKeyLocation: "key",
  };
  const configPath = join(directory, "generic-worker.config");
  await Deno.writeTextFile(configPath, JSON.stringify(config), { mode: 0o600 });
  const log = join(directory, "worker.log");
  return new Deno.Command("/bin/sh", {
    args: ["-c", `exec "$@" 2> ${log}`, "sh", program, ...command.words, "run"],
    cwd: directory,
    clearEnv: true,
    env: { ...command.env, PATH: "/usr/bin:/bin", TMPDIR: join(directory, "tmp") },
    stdout: "null",
  }).spawn();
}

/** Runs the script; ends the worker when the script says so, and gives the most memory the worker ever had. */
async function runScript(
  deployment: Deployment,
  { worker, directory }: { worker: Deno.ChildProcess; directory: string },
): Promise<number> {
  if ("missing" in client) throw new Error(client.missing);
  const script = new Deno.Command(client.python, {
    args: [
      "-B",
      "-W",
      "ignore::DeprecationWarning",
      new URL("python/mixed_tasks.py", import.meta.url).pathname,
    ],
    clearEnv: true,
    env: { ...deployment, PYTHONUTF8: "1", NO_PROXY: "*" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let peakBytes = 0;
  const complaints = new Response(script.stderr).text();
  for await (const text of script.stdout.pipeThrough(new TextDecoderStream())) {
    if (!text.includes("end the worker")) continue;
    peakBytes = await peakMemory(worker.pid);
    await untilSweptUp(join(directory, "tasks"));
    worker.kill("SIGTERM");
  }
  assert.equal((await script.status).code, 0, await complaints);
  return peakBytes;
}

/** Waits until only the task that runs has a directory. */
async function untilSweptUp(tasksDirectory: string): Promise<void> {
  const changes = Deno.watchFs(tasksDirectory, { recursive: false });
  for (let left = await names(tasksDirectory); left.length > 1; left = await names(tasksDirectory)) {
    await changes[Symbol.asyncIterator]().next();
  }
  changes.close();
}

/** Working directories of all processes that are at home there. */
async function processesIn(directory: string): Promise<string[]> {
  const pids = (await names("/proc")).filter((name) => /^\d+$/.test(name));
  const homes = await Promise.all(pids.map((pid) => Deno.readLink(`/proc/${pid}/cwd`).catch(() => "")));
  return homes.filter((home) => home.startsWith(directory));
}

async function peakMemory(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

async function names(directory: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(directory))).map((entry) => entry.name);
}

Deno.test({
  name: "a worker alone in a directory runs two hundred tasks of all kinds rightly and leaves nothing behind",
  ignore: "missing" in client,
  async fn() {
    const directory = await Deno.makeTempDir({ prefix: "alone-" });
    try {
      await withDeployment(async (deployment) => {
        const worker = await startWorker(directory, deployment);
        const peakBytes = await runScript(deployment, { worker, directory });
        const { code } = await worker.status;
        const log = await Deno.readTextFile(join(directory, "worker.log"));
        assert.equal(code, 72, log.slice(-3_000));
        assert.ok(!log.includes("PANIC"), log.slice(log.indexOf("PANIC"), 3_000));
        // All but that of the task that was shut down, since the machine may be on its way down as well.
        const left = await names(join(directory, "tasks"));
        assert.ok(left.length <= 1, `${left.join(" ")}\n${log.slice(-6_000)}`);
        assert.deepEqual(await processesIn(directory), []);
        assert.deepEqual(await names(join(directory, "tmp")), []);

        assert.ok(peakBytes < 200 * megabyte, `${Math.round(peakBytes / megabyte)} MB`);
      });
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});
