import { strict as assert } from "node:assert";
import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { genericWorker } from "../support/generic_worker.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";

const pkcs8Header = Buffer.from("302e020100300506032b657004220420", "hex");
const spkiHeader = Buffer.from("302a300506032b6570032100", "hex");
const base64Of32Bytes = /^[A-Za-z0-9+/]{43}=$/;

Deno.test("new-ed25519-keypair prints the public half of the seed it writes, both as bare base64", async () => {
  using directory = new TemporaryDirectory();
  const { code, stdout, stderr } = await genericWorker([
    "new-ed25519-keypair",
    "--file",
    directory.at("key"),
  ]);
  assert.deepEqual([code, stderr], [0, ""]);
  const seed = Deno.readTextFileSync(directory.at("key"));
  assert.match(seed, base64Of32Bytes);
  assert.match(stdout, base64Of32Bytes);
  const key = (header: Buffer, base64: string) => Buffer.concat([header, Buffer.from(base64, "base64")]);
  const privateKey = createPrivateKey({ key: key(pkcs8Header, seed), format: "der", type: "pkcs8" });
  const publicKey = createPublicKey({ key: key(spkiHeader, stdout), format: "der", type: "spki" });
  const message = new TextEncoder().encode("message");
  assert.ok(verify(null, message, publicKey, sign(null, message, privateKey)));
});

Deno.test("K32: new-ed25519-keypair lets nobody else read the key, not even in a file that others could read", async () => {
  using directory = new TemporaryDirectory();
  const path = directory.at("key");
  Deno.writeTextFileSync(path, "something that is longer than a key, and public ".repeat(3), { mode: 0o644 });
  const seeds = [];
  for (let time = 0; time < 2; time++) {
    assert.equal((await genericWorker(["new-ed25519-keypair", `--file=${path}`])).code, 0);
    assert.equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
    seeds.push(Deno.readTextFileSync(path));
  }
  assert.match(seeds[0] ?? "", base64Of32Bytes);
  assert.notEqual(seeds[0], seeds[1]);
});

Deno.test("new-ed25519-keypair exits with 75 and prints no key when the directory is missing", async () => {
  using directory = new TemporaryDirectory();
  const result = await genericWorker(["new-ed25519-keypair", "--file", directory.at("missing/key")]);
  assert.deepEqual([result.code, result.stdout], [75, ""]);
  assert.match(result.stderr, /Z Error .*\n.*Z Root cause: No such file/);
});
