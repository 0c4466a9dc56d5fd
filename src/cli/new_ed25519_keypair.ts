/** `new-ed25519-keypair`: a key to sign chain of trust certificates with (spec 01 §2.3). */

import type { CommandArguments } from "./command.ts";
import { exitCodes } from "./exit_codes.ts";
import { failure } from "./failure.ts";
import { print } from "./terminal.ts";

/** Both halves of a key pair: standard base64, with padding, of 32 bytes each. */
interface KeyPair {
  readonly seed: string;
  readonly publicKey: string;
}

/** Writes the seed to `--file`, readable by nobody else (K32), and prints the public key. */
export async function execute({ values }: CommandArguments): Promise<number> {
  const path = values["file"]!;
  try {
    const pair = await generate();
    writePrivately(path, pair.seed);
    print(pair.publicKey);
    return exitCodes.success.code;
  } catch (error) {
    return failure(exitCodes.keyPairFailed.code, `creating an ed25519 key pair in ${path}`, error);
  }
}

async function generate(): Promise<KeyPair> {
  const { privateKey } = await crypto.subtle.generateKey("Ed25519", true, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
  const { d, x } = await crypto.subtle.exportKey("jwk", privateKey);
  if (d === undefined || x === undefined) throw new Error("The system gave a key without its numbers");
  return { seed: standardBase64(d), publicKey: standardBase64(x) };
}

function standardBase64(base64url: string): string {
  const text = base64url.replaceAll("-", "+").replaceAll("_", "/");
  return text.padEnd(Math.ceil(text.length / 4) * 4, "=");
}

/** The permissions are set before the secret is written, as an existing file keeps its own. */
function writePrivately(path: string, text: string): void {
  using file = Deno.openSync(path, { write: true, create: true, truncate: true, mode: 0o600 });
  Deno.chmodSync(path, 0o600);
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) written += file.writeSync(bytes.subarray(written));
  file.syncSync();
}
