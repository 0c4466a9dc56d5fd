/** Where and by what live logs are served, by the configuration (spec 04 §1, §4). */

import assert from "node:assert/strict";
import { assembleConfig } from "../../../src/config/effective_settings.ts";
import { publicHost, usesOtherProgram, wantsTunnel } from "../../../src/features/live_log/settings.ts";

const defaults = assembleConfig(new Map(), { engine: "insecure", os: "linux" });

Deno.test("a live log's host is publicIP, or this machine for a deployment that runs on it (EX-2)", () => {
  const host = (publicIP: string, rootURL: string) => publicHost({ ...defaults, publicIP, rootURL });
  assert.equal(host("203.0.113.7", "https://tc.example"), "203.0.113.7");
  assert.equal(host("2001:db8::1", "http://127.0.0.1:8080"), "2001:db8::1");
  assert.equal(host("", "https://tc.example"), undefined);
  assert.equal(host("", "https://127.0.0.1.example"), undefined);
  for (
    const local of ["http://127.0.0.1:80", "http://localhost:3000/", "http://[::1]:80", "http://127.8.9.1"]
  ) {
    assert.equal(host("", local), "127.0.0.1", local);
  }
});

Deno.test("only both settings together ask for the tunnel (EX-6)", () => {
  const wanted = (wstServerURL: string, wstAudience: string) =>
    wantsTunnel({ ...defaults, wstServerURL, wstAudience });
  assert.deepEqual([wanted("", ""), wanted("wss://x", ""), wanted("", "x"), wanted("wss://x", "x")], [
    false,
    false,
    false,
    true,
  ]);
});

Deno.test("the bare name of the live log program, which is the default, means the worker itself", () => {
  assert.equal(usesOtherProgram(defaults), false);
  assert.equal(usesOtherProgram({ ...defaults, livelogExecutable: "/usr/local/bin/livelog" }), true);
});
