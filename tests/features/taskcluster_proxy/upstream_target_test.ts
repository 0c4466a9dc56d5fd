import assert from "node:assert/strict";
import { absoluteTarget, upstreamTarget } from "../../../src/features/taskcluster_proxy/upstream_target.ts";

const root = "https://tc.example.com/";

const mapped: Readonly<Record<string, string>> = {
  "/api/queue/v1/task/abc?x=1": "https://tc.example.com/api/queue/v1/task/abc?x=1",
  "/api/queue/v1/": "https://tc.example.com/api/queue/v1/",
  "/api/queue/v1//a//b?": "https://tc.example.com/api/queue/v1/a//b",
  "/api/queue/v1/y%2fz": "https://tc.example.com/api/queue/v1/y%2fz",
  "/api/a@b/any.thing/x/../y/.": "https://tc.example.com/api/a@b/any.thing/x/../y/.",
  "/queue/v1/double//slash/encode1%2F/encode2%252F":
    "https://tc.example.com/api/queue/v1/double//slash/encode1%2F/encode2%252F",
  "/secrets/v2/secret/a/?q=?": "https://tc.example.com/api/secrets/v2/secret/a/?q=?",
  "/other.example.org/a/b?c": "https://other.example.org/a/b?c",
  "/other.example.org": "https://other.example.org/",
  "/Other.Example.org/": "https://other.example.org/",
};

for (const [asked, expected] of Object.entries(mapped)) {
  Deno.test(`upstreamTarget() maps ${asked} to ${expected}`, () => {
    const target = upstreamTarget(asked, root);
    assert.equal(target?.url, expected);
    assert.equal(expected, `https://${target?.host}${target?.resource}`);
    assert.equal(target?.port, 443);
  });
}

const nowhere = [
  "/",
  "//",
  "*",
  "/api",
  "/api/",
  "/api/queue",
  "/api/queue/v1",
  "/apiary/v1/x",
  "/x@/",
  "/x@/v1/y",
  "/host:8443/v1/x",
  "/my.host:8443/x",
  "/-bad-/v1/x",
  "/a..b/x",
  "http://other.example.org/v1/x",
];

for (const asked of nowhere) {
  Deno.test(`upstreamTarget() leads nowhere for ${asked}`, () => {
    assert.equal(upstreamTarget(asked, root), undefined);
  });
}

for (const asked of ["/queue", "/queue/", "/queue/v1"]) {
  Deno.test(`TP-5: upstreamTarget() leads nowhere for ${asked}`, () => {
    assert.equal(upstreamTarget(asked, root), undefined);
  });
}

Deno.test("upstreamTarget() keeps the path and port of the root URL", () => {
  const target = upstreamTarget("/queue/v1/ping", "http://127.0.0.1:8080/base/");
  assert.equal(target?.url, "http://127.0.0.1:8080/base/api/queue/v1/ping");
  assert.deepEqual([target?.secure, target?.hostname, target?.port], [false, "127.0.0.1", 8080]);
});

Deno.test("absoluteTarget() takes complete addresses only", () => {
  for (const text of ["", "/a", "a", "ftp://x/", "https://", "//x/y", "mailto:a@b"]) {
    assert.equal(absoluteTarget(text), undefined, text);
  }
  assert.equal(absoluteTarget("HTTPS://X.org?a#b")?.url, "https://x.org/?a");
});
