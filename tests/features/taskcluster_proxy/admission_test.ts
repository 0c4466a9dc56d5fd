/** Who gets through to a task's proxy (spec 04 §7.7, §9.5). */

import assert from "node:assert/strict";
import { admits } from "../../../src/features/taskcluster_proxy/admission.ts";
import { createPlatform } from "../../../src/platform/linux/mod.ts";
import type { ConnectionPeer, Identity } from "../../../src/platform/platform.ts";
import { answer, withProxy } from "./proxy.ts";

const taskUser: Identity = { uid: 12_345, gid: 12_345, groups: [] };
const ends = {
  localAddr: { transport: "tcp", hostname: "127.0.0.1", port: 80 },
  remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 40_000 },
} as const;

function admitted(peer: ConnectionPeer, identity: Identity | undefined = taskUser): boolean {
  return admits(ends, { platform: { connectionPeer: () => peer }, identity });
}

Deno.test("admits() lets the task's user and the superuser in, TP-1: nobody of an unknown or closing connection", () => {
  assert.equal(admitted({ kind: "account", uid: 12_345 }), true);
  assert.equal(admitted({ kind: "account", uid: 0 }), true);
  assert.equal(admitted({ kind: "account", uid: 12_346 }), false);
  assert.equal(admitted({ kind: "closing" }), false);
  assert.equal(admitted({ kind: "elsewhere" }), false);
});

Deno.test("PF-7: admits() can't tell anybody apart where tasks share the worker's account", () => {
  const platform = { connectionPeer: () => ({ kind: "closing" } as const) };
  assert.equal(admits(ends, { platform, identity: undefined }), true);
});

Deno.test({
  name:
    "TP-1: processes of the task's user and of root get an answer, one of another user and one that is gone do not",
  // Only root can run something as somebody else.
  ignore: Deno.uid() !== 0,
  async fn() {
    const platform = createPlatform();
    let asked = Promise.withResolvers<void>();
    const admitting = {
      admits(conn: Deno.TcpConn) {
        asked.resolve();
        return admits(conn, { platform, identity: taskUser });
      },
    };
    await withProxy(() => answer(200), async ({ proxy, upstream, client }) => {
      const url = `http://127.0.0.1:${proxy.port}/a/v1/x`;
      assert.equal(await curlAs(12_345, url), 0);
      assert.equal(await curlAs(0, url), 0);
      assert.notEqual(await curlAs(12_346, url), 0);
      assert.equal(upstream.requests.length, 2);
      // Root's own, but closed before anybody could ask whose it is.
      asked = Promise.withResolvers();
      (await client()).conn.close();
      await asked.promise;
      assert.equal(upstream.requests.length, 2);
    }, admitting);
  },
});

async function curlAs(uid: number, url: string): Promise<number> {
  const account = ["--reuid", `${uid}`, "--regid", `${uid}`, "--clear-groups"];
  const args = [...account, "curl", "--silent", "--max-time", "20", url];
  const { code } = await new Deno.Command("setpriv", { args, stdout: "null", cwd: "/" }).output();
  return code;
}
