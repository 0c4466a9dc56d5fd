/** Makes a service of the worker reachable from outside through a port of this machine (spec 04 §4.2). */

import { ConnectionListener, type ServeConnection } from "./connection_listener.ts";

/** A service that people elsewhere can reach. */
export interface Exposure {
  /** Without a path and without a slash at its end. */
  readonly url: string;
  /** Connections stay open. Settles when nobody new can come in and the port is free. */
  close(): Promise<void>;
}

export interface LocalExposureOptions {
  /** Host in the URL, an IP address. */
  readonly publicIP: string;
  /** 0: any free port. Where another exposure has it, any free one too (weakness EX-1). */
  readonly port: number;
  /** Told when it became another port than wanted. */
  readonly onOtherPort: (message: string) => void;
}

/**
 * Listens where `publicIP` leads to: on that address alone if it never leaves the machine, else on all
 * interfaces, since the address may be one that a router translates.
 *
 * @throws the system's error when it can't listen
 */
export function exposeLocally(serve: ServeConnection, options: LocalExposureOptions): Exposure {
  const { publicIP } = options;
  const listener = listen(serve, options);
  const host = publicIP.includes(":") ? `[${publicIP}]` : publicIP;
  return { url: `http://${host}:${listener.port}`, close: () => listener.close() };
}

function listen(serve: ServeConnection, options: LocalExposureOptions): ConnectionListener {
  const { publicIP, port, onOtherPort } = options;
  try {
    return listenFor(publicIP, { port, serve });
  } catch (error) {
    if (port === 0 || !(error instanceof Deno.errors.AddrInUse)) throw error;
    const listener = listenFor(publicIP, { port: 0, serve });
    onOtherPort(`Port ${port} is taken, using port ${listener.port} in its place`);
    return listener;
  }
}

interface Wanted {
  readonly port: number;
  readonly serve: ServeConnection;
}

function listenFor(publicIP: string, { port, serve }: Wanted): ConnectionListener {
  if (isLoopback(publicIP)) return new ConnectionListener({ hostname: publicIP, port }, serve);
  try {
    return new ConnectionListener({ hostname: "::", port }, serve);
  } catch (error) {
    // A machine without IPv6.
    if (error instanceof Deno.errors.AddrInUse) throw error;
    return new ConnectionListener({ hostname: "0.0.0.0", port }, serve);
  }
}

function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}
