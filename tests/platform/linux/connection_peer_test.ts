import assert from "node:assert/strict";
import { findConnectionPeer, spelled } from "../../../src/platform/linux/connection_peer.ts";
import { createPlatform } from "../../../src/platform/linux/mod.ts";

const vectors = [
  ["127.0.0.1", 8080, "tcp", "0100007F:1F90"],
  ["192.168.1.1", 443, "tcp", "0101A8C0:01BB"],
  ["::1", 8080, "tcp6", "00000000000000000000000001000000:1F90"],
  ["::ffff:127.0.0.1", 8080, "tcp6", "0000000000000000FFFF00000100007F:1F90"],
  ["127.0.0.1", 8080, "tcp6", "0000000000000000FFFF00000100007F:1F90"],
] as const;

for (const [hostname, port, table, text] of vectors) {
  Deno.test(`spelled() writes ${hostname} port ${port} for ${table} as spec 04 §9.3`, () => {
    assert.equal(spelled({ hostname, port }, table), text);
  });
}

const ends = {
  local: { hostname: "127.0.0.1", port: 8080 },
  remote: { hostname: "127.0.0.1", port: 40_000 },
};
const header =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

function row(from: string, to: string, options: { state?: string; uid?: number } = {}): string {
  const { state = "01", uid = 1234 } = options;
  return `   0: ${from} ${to} ${state} 00000000:00000000 00:00000000 00000000  ${uid}        0 99 1\n`;
}

Deno.test("findConnectionPeer() gives the account of the other end, in either table and either case", () => {
  const four = header + row("0100007f:1f90", "0100007f:9c40", { uid: 7 }) +
    row("0100007f:9c40", "0100007f:1f90");
  assert.deepEqual(findConnectionPeer(ends, (name) => name === "tcp" ? four : undefined), {
    kind: "account",
    uid: 1234,
  });
  const mapped = "0000000000000000FFFF00000100007F";
  const six = header + row(`${mapped}:9C40`, `${mapped}:1F90`);
  assert.equal(findConnectionPeer(ends, (name) => name === "tcp6" ? six : header).kind, "account");
});

Deno.test("TP-1: findConnectionPeer() takes only an entry with both ends, and no owner of one that is closing", () => {
  const elsewhere = header + row("0100007F:9C40", "0100007F:0050", { uid: 0 });
  assert.equal(findConnectionPeer(ends, () => elsewhere).kind, "elsewhere");
  for (const state of ["04", "05", "06", "07", "08"]) {
    const closing = header + row("0100007F:9C40", "0100007F:1F90", { state, uid: 0 });
    assert.equal(findConnectionPeer(ends, () => closing).kind, "closing", state);
  }
});

Deno.test("findConnectionPeer() takes missing tables for empty ones", () => {
  assert.equal(findConnectionPeer(ends, () => undefined).kind, "elsewhere");
});

for (const hostname of ["127.0.0.1", "::1"]) {
  Deno.test(`connectionPeer() knows the account of a real connection to ${hostname}, and TP-1: not of one whose client has closed it`, async () => {
    const platform = createPlatform();
    using listener = Deno.listen({ hostname, port: 0 });
    const client = await Deno.connect({ hostname, port: listener.addr.port });
    using accepted = await listener.accept();
    const connection = { local: accepted.localAddr, remote: accepted.remoteAddr };
    assert.deepEqual(platform.connectionPeer(connection), { kind: "account", uid: Deno.uid() });
    client.close();
    assert.notEqual(platform.connectionPeer(connection).kind, "account");
  });
}
