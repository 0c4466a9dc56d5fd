/** The server a task's clients talk to. */

import { ConnectionListener } from "../../exposure/connection_listener.ts";
import { ProxyConnection, type ProxyConnectionOptions } from "./proxy_connection.ts";
import { UpstreamConnections } from "./upstream_connections.ts";

export interface ProxyServerOptions extends Omit<ProxyConnectionOptions, "connections"> {
  /** On the loopback interface; 0: any free one. */
  readonly port: number;
  /** May whoever connected use it? Asked before anything is read. */
  readonly admits: (conn: Deno.TcpConn) => boolean;
}

/** One task can't use up the descriptors of the worker. */
const mostConnections = 256;

export class ProxyServer {
  readonly #options: ProxyServerOptions;
  readonly #upstream = new UpstreamConnections();
  readonly #listeners: ConnectionListener[] = [];
  readonly #connections = new Map<ProxyConnection, Promise<void>>();

  /** Listens at once. @throws the system's error when the port of 127.0.0.1 can't be had */
  constructor(options: ProxyServerOptions) {
    this.#options = options;
    const serve = (conn: Deno.TcpConn) => this.#serve(conn);
    const listener = new ConnectionListener({ hostname: "127.0.0.1", port: options.port }, serve);
    this.#listeners.push(listener);
    try {
      this.#listeners.push(new ConnectionListener({ hostname: "::1", port: listener.port }, serve));
    } catch {
      // For clients that take `localhost` for ::1 (weakness PF-8); the address that tasks are told is the other one.
    }
  }

  get port(): number {
    return this.#listeners[0]!.port;
  }

  /** Ends all that goes on. The port is free at once. */
  async stop(): Promise<void> {
    const freed = this.#listeners.map((listener) => listener.close());
    for (const connection of this.#connections.keys()) connection.close();
    await Promise.all([...freed, ...this.#connections.values()]);
    this.#upstream.close();
  }

  async #serve(conn: Deno.TcpConn): Promise<void> {
    if (this.#connections.size >= mostConnections || !this.#options.admits(conn)) return conn.close();
    conn.setNoDelay(true);
    const connection = new ProxyConnection(conn, { ...this.#options, connections: this.#upstream });
    const served = connection.serve();
    this.#connections.set(connection, served);
    await served;
    this.#connections.delete(connection);
  }
}
