import { strict as assert } from "node:assert";
import { withDeployment } from "./deployment.ts";
import { pythonClient } from "./python_client.ts";

const client = await pythonClient();
const missing = "missing" in client;
if (missing) {
  await Deno.stderr.write(new TextEncoder().encode(`Skipping the Python client: ${client.missing}\n`));
}

/** Runs a script of `python/` against an empty deployment; it must end well. */
async function succeeds(script: string): Promise<void> {
  if ("missing" in client) throw new Error(client.missing);
  const path = new URL(`python/${script}`, import.meta.url).pathname;
  await withDeployment(async (deployment) => {
    const { code, stdout, stderr } = await new Deno.Command(client.python, {
      args: ["-B", "-W", "ignore::DeprecationWarning", path],
      clearEnv: true,
      env: { ...deployment, PYTHONUTF8: "1", NO_PROXY: "*" },
    }).output();
    const decoder = new TextDecoder();
    assert.equal(code, 0, `${script}:\n${decoder.decode(stdout)}${decoder.decode(stderr)}`);
  });
}

const scripts = {
  "task_life.py": "creates, claims, reclaims, resolves, retries and cancels tasks",
  "artifacts.py": "publishes artifacts of every storage type and reads them back",
  "objects.py": "moves objects with its upload and download helpers",
  "small_services.py": "works with index, secrets, purge-cache and worker-manager",
  "many_at_once.py": "runs a hundred tasks at once without losing or mixing up any",
  "credentials.py": "makes temporary credentials and signed URLs that open exactly what they should",
};

for (const [script, promise] of Object.entries(scripts)) {
  Deno.test({ name: `the Python client ${promise}`, ignore: missing, fn: () => succeeds(script) });
}
