/** Opens a connection to a store, directly or through the proxy that the environment names. */

import { AnswerReader } from "./answer_reader.ts";
import { bareHostname, type Proxy } from "./proxy.ts";

export interface DialOptions {
  /** Absent: directly. */
  readonly proxy?: Proxy | undefined;
  /** PEM certificates of authorities trusted besides those of the system. */
  readonly caCerts?: readonly string[];
  /** Told of the connection as soon as it is there: closing it ends the rest. */
  readonly onConnection: (connection: Deno.Conn) => void;
}

/**
 * A connection on which a request to `target` can be written; for http through a proxy, one that names the whole
 * address (RFC 9112 §3.2.2).
 *
 * @throws the system's error; Error when the proxy refuses
 */
export async function dial(target: URL, options: DialOptions): Promise<Deno.Conn> {
  const { proxy, caCerts } = options;
  const tls = { alpnProtocols: ["http/1.1"], ...(caCerts ? { caCerts: [...caCerts] } : {}) };
  const { protocol } = target;
  if (protocol !== "http:" && protocol !== "https:") {
    throw new TypeError(`Cannot put to ${protocol} addresses`);
  }
  const { hostname, port, isTls } = firstHop(target, proxy);
  if (isTls) return await Deno.connectTls({ ...tls, hostname, port });
  const connection = await Deno.connect({ hostname, port });
  if (!proxy || protocol === "http:") return connection;
  options.onConnection(connection);
  try {
    await openTunnel(connection, { target, proxy });
    return await Deno.startTls(connection, { ...tls, hostname: bareHostname(target) });
  } catch (error) {
    closeQuietly(connection);
    throw error;
  }
}

interface Hop {
  readonly hostname: string;
  readonly port: number;
  readonly isTls: boolean;
}

function firstHop(target: URL, proxy: Proxy | undefined): Hop {
  const isTls = target.protocol === "https:";
  if (!proxy) return { hostname: bareHostname(target), port: portOf(target), isTls };
  if (isTls && proxy.protocol === "https:") {
    throw new Error(
      "Cannot upload to an https address through an https proxy: one encrypted connection inside another is not " +
        "supported; name the proxy with http",
    );
  }
  return { ...proxy, isTls: proxy.protocol === "https:" };
}

function portOf({ port, protocol }: URL): number {
  return Number(port || (protocol === "http:" ? 80 : 443));
}

/** Asks the proxy to pass on what follows (RFC 9110 §9.3.6). */
async function openTunnel(
  connection: Deno.Conn,
  { target, proxy }: { target: URL; proxy: Proxy },
): Promise<void> {
  const authority = `${target.hostname}:${portOf(target)}`;
  const lines = [
    `CONNECT ${authority} HTTP/1.1`,
    `Host: ${authority}`,
    ...(proxy.authorization ? [`Proxy-Authorization: ${proxy.authorization}`] : []),
  ];
  const request = new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`);
  for (let at = 0; at < request.length;) at += await connection.write(request.subarray(at));
  const { status, statusText } = await new AnswerReader(connection, () => {}).head();
  if (status >= 200 && status < 300) return;
  throw new Error(
    `the proxy ${proxy.hostname}:${proxy.port} refused to connect: ${status} ${statusText}`.trimEnd(),
  );
}

/** It may be closed already, or be part of an encrypted one. */
function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    return;
  }
}
