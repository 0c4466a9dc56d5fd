/** What a task id looks like: a slug of 22 characters (spec 02 §1.6, pattern T). */

/** The pattern without anchors, to be part of larger ones. */
export const taskIdText = "[A-Za-z0-9_-]{8}[Q-T][A-Za-z0-9_-][CGKOSWaeimquy26-][A-Za-z0-9_-]{10}[AQgw]";

const pattern = new RegExp(`^${taskIdText}$`);

/** Can this be the id of a task? It may begin with a dash, or two. */
export function isTaskId(text: string): boolean {
  return pattern.test(text);
}
