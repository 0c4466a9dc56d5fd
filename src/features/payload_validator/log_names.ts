/** The schema takes any text as the name of a log, the queue does not (weakness 02 §12.5). */

import { isPublishableName, publishableNames } from "../../artifacts/artifact_name.ts";
import type { Payload } from "../../task/payload.ts";

/** One line for each log that is wanted under a name nobody can publish. */
export function logNameMistakes(payload: Payload): string[] {
  return (["live", "backing"] as const)
    .filter((log) => payload.features[`${log}Log`] === true && !isPublishableName(payload.logs[log]))
    .map((log) => `Cannot publish logs.${log} as ${shown(payload.logs[log])}: ${publishableNames}`);
}

function shown(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
}
