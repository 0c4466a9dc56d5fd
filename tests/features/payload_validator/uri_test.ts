import assert from "node:assert/strict";
import { isUri } from "../../../src/features/payload_validator/uri.ts";

const accepted = [
  // Scheme, opaque.
  "x:",
  "x:y",
  "x:%zz",
  "a+1-.b:c",
  "mailto:a b^{}@c",
  "x:y?%zz",
  "urn:[]",
  // Fragment.
  "x:#\u0000\u001f\u007f",
  "http://a/#%41 é[",
  "x:y#a#b",
  // Query.
  "http://a?%zz [ ] ^",
  "http://a/b?c=%",
  // Path.
  "http://a/ b/é/[x]/%41",
  "x:/a%2fb",
  "file:///etc/passwd",
  "x://",
  "http:///",
  // User.
  "http://user@a/",
  "http://u%41:p;a'ss!$&()*+,=~._-@a/",
  "http://a:b@c:1/",
  "ftp://@/",
  // Host.
  "http://",
  "http://é.example/",
  'http://a]<>"b/',
  "http://%C3%A9/",
  "http://a%25b/",
  "http://%FF/",
  "http://[::1]/",
  "http://[::1]:80/",
  "http://[::1]:/",
  "http://[fe80::1%25eth0]/",
  "http://[::ffff:1.2.3.4]/",
  "http://u@[::1]/",
  // Port.
  "http://a:/",
  "http://a:99999/",
  "x://a:b:80/",
  "x://a::/",
  "HTTPS://example.com:8080/a?b#c",
];

const refused = [
  "",
  "a",
  "/a/b",
  "//a/b",
  ":a",
  "1x:a",
  "-x:a",
  "é:a",
  "x y:a",
  "#x:",
  "?x:",
  "http",
  "http://a\\b/",
  "x:y\\",
  "x:#\\",
  "x:#%",
  "x:#%4",
  "x:#%zz",
  "x:\u0000",
  "x:y\u001f",
  "http://a/\n",
  "http://a/\u007f",
  "x:?\t",
  "http://a/%",
  "http://a/%4",
  "http://a/%zz",
  "x:/%g0",
  "http://a b@c/",
  "http://é@c/",
  "http://a%zz@c/",
  "http://a@b@c/%",
  "http://a[@c/",
  "http://a b/",
  "http://a^b/",
  "http://a`b/",
  "http://{a}/",
  "http://a|b/",
  "http://%41/",
  "http://%7f/",
  "http://%/",
  "http://%C/",
  "http://a[::1]/",
  "http://[::1/",
  "http://[::1]a/",
  "http://[::1]a:80/",
  "http://[::1]:a/",
  "http://[1.2.3.4]/",
  "http://[]/",
  "http://[g::1]/",
  "http://[::1%eth0]/",
  "http://[::1%25]/",
  "http://a:b/",
  "http://a:8 0/",
  "http://a:٣/",
  "http://a:b:80/",
  "HtTpS://a::80/",
  "x://a:80:b/",
];

for (const text of accepted) {
  Deno.test(`isUri() accepts ${JSON.stringify(text)}`, () => assert.equal(isUri(text), true));
}

for (const text of refused) {
  Deno.test(`isUri() refuses ${JSON.stringify(text)}`, () => assert.equal(isUri(text), false));
}

Deno.test("isUri() takes linear time on long texts", () => {
  const long = "%41".repeat(1_000_000);
  const startMs = performance.now();
  for (
    const text of [`http://a/${long}`, `http://${long}@a/`, `http://a${":".repeat(3_000_000)}`, `x${long}`]
  ) {
    isUri(text);
  }
  assert.ok(performance.now() - startMs < 2000);
});
