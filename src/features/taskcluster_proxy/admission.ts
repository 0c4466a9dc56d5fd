/** Who may use a task's proxy (spec 04 §7.7). */

import type { Identity, Platform } from "../../platform/platform.ts";

export interface AdmissionOptions {
  readonly platform: Pick<Platform, "connectionPeer">;
  /** The task's own account. Absent: tasks share the worker's, so nobody can be told apart (weakness PF-7). */
  readonly identity: Identity | undefined;
}

/** Is it a process of the task's account, or of the superuser, that has connected? */
export function admits(
  connection: Pick<Deno.TcpConn, "localAddr" | "remoteAddr">,
  { platform, identity }: AdmissionOptions,
): boolean {
  if (!identity) return true;
  const peer = platform.connectionPeer({ local: connection.localAddr, remote: connection.remoteAddr });
  return peer.kind === "account" && (peer.uid === identity.uid || peer.uid === 0);
}
