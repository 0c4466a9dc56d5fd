import { strict as assert } from "node:assert";
import { genericWorker } from "../support/generic_worker.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";

function status(directory: TemporaryDirectory) {
  return genericWorker(["status"], { env: { TMPDIR: directory.path } });
}

Deno.test("status says that nothing runs when there is no status file", async () => {
  using directory = new TemporaryDirectory();
  const { code, stdout, stderr } = await status(directory);
  assert.deepEqual([code, stdout, stderr], [0, '{\n  "currentTaskIds": []\n}\n', ""]);
});

Deno.test("status prints the status file and a newline", async () => {
  using directory = new TemporaryDirectory();
  const text = '{\n  "currentTaskIds": [\n    "VbNXuVOFRGOhvDJEXVQRaA"\n  ]\n}\n';
  Deno.writeTextFileSync(directory.at("worker-status.json"), text);
  const { code, stdout } = await status(directory);
  assert.deepEqual([code, stdout], [0, `${text}\n`]);
});

Deno.test("K30: status exits with 84 for something else under the file's name, and does not wait for it", async () => {
  using directory = new TemporaryDirectory();
  await new Deno.Command("mkfifo", { args: [directory.at("worker-status.json")] }).output();
  const { code, stdout, stderr } = await status(directory);
  assert.deepEqual([code, stdout], [84, ""]);
  assert.match(stderr, /Root cause: .*worker-status\.json is not a regular file/);
});
