/** A proxy in front of a scripted service. */

import type { Clock } from "../../../src/base/clock.ts";
import { Secret } from "../../../src/base/secret.ts";
import {
  ProxyServer,
  type ProxyServerOptions,
} from "../../../src/features/taskcluster_proxy/proxy_server.ts";
import type { Signer } from "../../../src/features/taskcluster_proxy/signature.ts";
import { HastyClock } from "../../support/hasty_clock.ts";
import { RawClient, RawUpstream, type Script } from "./raw_http.ts";

export const permanent: Signer = {
  credentials: { clientId: "tester", accessToken: new Secret("no-secret") },
  authorizedScopes: ["test:authenticate-get"],
};

export interface ProxyTest {
  readonly proxy: ProxyServer;
  readonly upstream: RawUpstream;
  /** A connection to the proxy, closed at the end. */
  client(): Promise<RawClient>;
  /** Replaces the task's credentials. */
  sign(signer: Signer): void;
}

export async function withProxy(
  script: Script,
  use: (test: ProxyTest) => Promise<void>,
  options: Partial<ProxyServerOptions> = {},
): Promise<void> {
  await using upstream = new RawUpstream(script);
  let signer = permanent;
  const clock: Clock = new HastyClock();
  const proxy = new ProxyServer({
    port: 0,
    rootUrl: `${upstream.rootUrl}/`,
    build: { version: "1.2.3", revision: "abc" },
    clock,
    clockSkewMs: () => 0,
    signer: () => signer,
    retryForMs: 30_000,
    headMs: 60_000,
    admits: () => true,
    ...options,
  });
  const clients: RawClient[] = [];
  try {
    await use({
      proxy,
      upstream,
      async client() {
        const client = await RawClient.connect(proxy.port);
        clients.push(client);
        return client;
      },
      sign: (next) => void (signer = next),
    });
  } finally {
    for (const client of clients) client[Symbol.dispose]();
    await proxy.stop();
  }
}

/** An answer with a body, as a service sends it. */
export function answer(status: number, body = "{}", more: readonly string[] = []): string {
  return [`HTTP/1.1 ${status} Word`, `Content-Length: ${body.length}`, ...more, "", body].join("\r\n");
}

/** A request without a body. */
export function get(target: string, more: readonly string[] = []): string {
  return [`GET ${target} HTTP/1.1`, "Host: taskcluster", ...more, "", ""].join("\r\n");
}

/** A request with a body of known length. */
export function put(
  target: string,
  body: string,
  options: { method?: string; more?: string[] } = {},
): string {
  const { method = "PUT", more = [] } = options;
  const lines = [
    `${method} ${target} HTTP/1.1`,
    "Host: taskcluster",
    `Content-Length: ${body.length}`,
    ...more,
  ];
  return [...lines, "", body].join("\r\n");
}
