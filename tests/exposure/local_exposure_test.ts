/** A service behind a port of this machine (spec 04 §4.2). */

import assert from "node:assert/strict";
import { ConnectionListener } from "../../src/exposure/connection_listener.ts";
import { exposeLocally, type LocalExposureOptions } from "../../src/exposure/local_exposure.ts";
import { freePorts } from "../support/free_ports.ts";

/** Says hello and goodbye. */
async function greet(connection: Deno.TcpConn): Promise<void> {
  await connection.write(new TextEncoder().encode("hello"));
  connection.close();
}

function expose(options: Partial<LocalExposureOptions>) {
  const messages: string[] = [];
  const exposure = exposeLocally(greet, {
    publicIP: "192.0.2.1",
    port: 0,
    onOtherPort: (message) => messages.push(message),
    ...options,
  });
  return { ...exposure, messages, port: Number(new URL(exposure.url).port) };
}

async function greeting(hostname: string, port: number): Promise<string> {
  const connection = await Deno.connect({ hostname, port });
  return await new Response(connection.readable).text();
}

/** Addresses of this machine that are no loopback ones. */
function outsideAddresses(): string[] {
  return Deno.networkInterfaces()
    .filter(({ family, address }) => family === "IPv4" && !address.startsWith("127."))
    .map(({ address }) => address);
}

Deno.test("a local exposure has the public address in its URL, without a path, and is reached on every interface", async () => {
  const exposure = expose({});
  assert.match(exposure.url, /^http:\/\/192\.0\.2\.1:\d+$/);
  for (const address of ["127.0.0.1", ...outsideAddresses()]) {
    assert.equal(await greeting(address, exposure.port), "hello", address);
  }
  await exposure.close();
  await assert.rejects(greeting("127.0.0.1", exposure.port), Deno.errors.ConnectionRefused);
});

Deno.test("EX-2: an IPv6 address is in brackets", async () => {
  const exposure = expose({ publicIP: "2001:db8::1" });
  assert.match(exposure.url, /^http:\/\/\[2001:db8::1\]:\d+$/);
  await exposure.close();
});

Deno.test("LL-5: an exposure for this machine alone listens nowhere else", async () => {
  const exposure = expose({ publicIP: "127.0.0.1" });
  assert.equal(await greeting("127.0.0.1", exposure.port), "hello");
  for (const address of outsideAddresses()) {
    await assert.rejects(greeting(address, exposure.port), Deno.errors.ConnectionRefused, address);
  }
  await exposure.close();
});

Deno.test("a fixed port is used when it is free, and freed by closing", async () => {
  const port = freePorts(1);
  for (let round = 0; round < 3; round++) {
    const exposure = expose({ port });
    assert.equal(exposure.port, port);
    assert.deepEqual(exposure.messages, []);
    await exposure.close();
    await exposure.close();
  }
});

Deno.test("EX-1: a fixed port that is taken is replaced by another one, and that is told", async () => {
  const first = expose({ port: freePorts(1) });
  const second = expose({ port: first.port });
  assert.notEqual(second.port, first.port);
  assert.deepEqual(second.messages, [`Port ${first.port} is taken, using port ${second.port} in its place`]);
  assert.equal(await greeting("127.0.0.1", second.port), "hello");
  await first.close();
  await second.close();
});

Deno.test("a listener's port is free as soon as it is closed, though connections go on", async () => {
  const accepted = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const served = Promise.withResolvers<void>();
  const listener = new ConnectionListener({ hostname: "127.0.0.1", port: 0 }, async (connection) => {
    accepted.resolve();
    await gate.promise;
    await greet(connection);
    served.resolve();
  });
  const waiting = greeting("127.0.0.1", listener.port);
  await accepted.promise;
  await listener.close();
  const next = new ConnectionListener({ hostname: "127.0.0.1", port: listener.port }, greet);
  assert.equal(await greeting("127.0.0.1", next.port), "hello");
  gate.resolve();
  assert.equal(await waiting, "hello");
  await served.promise;
  await next.close();
});
