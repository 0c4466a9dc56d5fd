/** Ports for settings that name one: nobody used them a moment ago. */

/** The first of `count` neighbouring ports that are free on 127.0.0.1. */
export function freePorts(count: number): number {
  while (true) {
    const first = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const listeners = [first];
    try {
      while (listeners.length < count) {
        listeners.push(Deno.listen({ hostname: "127.0.0.1", port: first.addr.port + listeners.length }));
      }
      return first.addr.port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    } finally {
      for (const listener of listeners) listener.close();
    }
  }
}
