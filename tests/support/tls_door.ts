/** Puts TLS in front of a service of this machine. */

/** Takes TLS connections and passes what they say on to a port of this machine. */
export function tlsDoor(options: { cert: string; key: string; port: number }) {
  const listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert: options.cert, key: options.key });
  const open = new Set<Deno.Conn>();
  const serving = (async () => {
    for await (const outer of listener) {
      const inner = await Deno.connect({ hostname: "127.0.0.1", port: options.port });
      open.add(outer).add(inner);
      outer.readable.pipeTo(inner.writable).catch(() => {});
      inner.readable.pipeTo(outer.writable).catch(() => {});
    }
  })().catch(() => {});
  return {
    port: listener.addr.port,
    async close() {
      listener.close();
      for (const connection of open) closeQuietly(connection);
      await serving;
    },
  };
}

function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It has closed by itself.
  }
}
