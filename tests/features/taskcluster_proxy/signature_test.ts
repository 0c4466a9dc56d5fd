import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { server as hawk } from "hawk";
import { authorization, withBewit } from "../../../src/features/taskcluster_proxy/signature.ts";
import { absoluteTarget } from "../../../src/features/taskcluster_proxy/upstream_target.ts";
import { permanent } from "./proxy.ts";

const url = "https://tc.example.com/api/queue/v1/task/abc?x=1";
const ext = "eyJhdXRob3JpemVkU2NvcGVzIjpbInRlc3Q6YXV0aGVudGljYXRlLWdldCJdfQ==";

Deno.test("authorization() signs as the vectors of spec 04 §9.4", () => {
  const value = authorization(permanent, {
    method: "GET",
    target: absoluteTarget(url)!,
    timestamp: 1700000000,
    nonce: "j4h3g2aB",
  });
  assert.equal(
    value,
    'Hawk id="tester", mac="GAq/7TFowgrs3R8JT8Mh+DMrv0lt7RaG3nqx4EJ0pio=", ts="1700000000", ' +
      `nonce="j4h3g2aB", ext="${ext}"`,
  );
});

Deno.test("withBewit() signs as the vectors of spec 04 §9.4", () => {
  const signed = withBewit(permanent, { target: absoluteTarget(url)!, expires: 1700003600 });
  const bewit =
    "dGVzdGVyXDE3MDAwMDM2MDBcOWxlNEdadTVZRUxoR3pTV2dqbWdJVEFOblVPTGNxSzZlTVdYeElva1pFQT1cZXlKaGRYUm9iM0pwZW1Wa1UyTnZjR1Z6SWpwYkluUmxjM1E2WVhWMGFHVnVkR2xqWVhSbExXZGxkQ0pkZlE9PQ";
  assert.equal(signed, `${url}&bewit=${bewit}`);
  const [id, expires, mac, signedExt] = Buffer.from(bewit, "base64url").toString().split("\\");
  assert.deepEqual([id, expires, mac, signedExt], [
    "tester",
    "1700003600",
    "9le4GZu5YELhGzSWgjmgITANnUOLcqK6eMWXxIokZEA=",
    ext,
  ]);
});

for (
  const address of [
    "https://tc.example.com/a?z=1&b=2&a=%20x+y",
    "https://tc.example.com?b=2&a=1",
    "http://TC.Example.com:8080/%7efoo//bar?",
    "https://tc.example.com/plain",
  ]
) {
  Deno.test(`TP-6: a bewit leaves the query of ${address} as it is, and opens it`, async () => {
    const now = Math.floor(Date.now() / 1000);
    const signed = withBewit(permanent, { target: absoluteTarget(address)!, expires: now + 60 });
    const resource = signed.slice(signed.indexOf("/", "https://".length));
    const query = address.split("?")[1];
    if (query) assert.ok(resource.includes(`?${query}&bewit=`), resource);
    const { hostname, port, protocol } = new URL(address);
    // With its port: the library takes everything to be plain HTTP.
    const host = `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
    const request = { method: "GET", url: resource, headers: { host } };
    const { credentials } = await hawk.authenticateBewit(request, () =>
      Promise.resolve({
        id: "tester",
        key: "no-secret",
        algorithm: "sha256" as const,
        user: "tester",
      }));
    assert.equal(credentials.user, "tester");
  });
}
