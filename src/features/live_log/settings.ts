/** What the configuration says about live logs (spec 04 §1, §4). */

import type { Config } from "../../config/config.ts";

const bareName = "livelog";

/** Is a program of its own meant to serve the log? The bare default name means the worker itself. */
export function usesOtherProgram({ livelogExecutable }: Config): boolean {
  return livelogExecutable !== bareName;
}

/** Are both settings of the tunnel there? One alone selects a local port. */
export function wantsTunnel({ wstServerURL, wstAudience }: Config): boolean {
  return wstServerURL !== "" && wstAudience !== "";
}

/**
 * The address readers reach this machine at; undefined when nobody knows one (weakness EX-2). Without `publicIP`
 * that is this machine itself, where the deployment runs on it too.
 */
export function publicHost({ publicIP, rootURL }: Config): string | undefined {
  if (publicIP !== "") return publicIP;
  const host = URL.parse(rootURL)?.hostname ?? "";
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(host) ? "127.0.0.1" : undefined;
}
