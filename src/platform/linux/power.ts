/** Asks the system to halt or to start again (spec 01 §6.10). */

import type { RunTool } from "./run_tool.ts";

/** `halt` or `restart` with a reason that the system tells its users. @throws Error when the command fails */
export async function changePower(
  change: "halt" | "restart",
  { reason, privileged, run }: { reason: string; privileged: boolean; run: RunTool },
): Promise<void> {
  const sudo = privileged ? [] : ["/usr/bin/sudo"];
  await run([...sudo, "/sbin/shutdown", change === "halt" ? "-h" : "-r", "now", reason]);
}
