/** Reads what `run-task` is given and tells definitions and payloads apart. */

import { parse as parseYaml } from "yaml";
import { errorText } from "../../base/error_text.ts";
import { readSource, type ReadSourceOptions } from "./read_source.ts";
import { RunTaskError } from "./run_task_error.ts";

/** A task definition, or a bare payload. */
export type GivenTask =
  | { readonly kind: "definition"; readonly definition: Readonly<Record<string, unknown>> }
  | { readonly kind: "payload"; readonly payload: Readonly<Record<string, unknown>> };

const whatToGive = "Give a task definition or a payload";

/**
 * A definition has a `payload`; any other object is taken for a payload. What the queue tells of a task
 * (`{"status": …, "task": {…}}`) holds a definition too.
 *
 * @param source path, `-`, URL of a definition or of a task's page, or a task id
 * @throws RunTaskError saying what is wrong with it; the signal's reason
 */
export async function readTask(source: string, options: ReadSourceOptions): Promise<GivenTask> {
  const name = source === "-" ? "Standard input" : source;
  const value = parse(await readSource(source, options), name);
  if (value === undefined || value === null) throw new RunTaskError(`${name} is empty. ${whatToGive}`);
  if (!isObject(value)) {
    throw new RunTaskError(`${name} holds ${describe(value)}, not an object. ${whatToGive}`);
  }
  return tellApart(value, name);
}

function tellApart(object: Readonly<Record<string, unknown>>, name: string): GivenTask {
  const { task, tasks, version } = object;
  if (isObject(task) && "payload" in task) return tellApart(task, name);
  if (version !== undefined && tasks !== undefined) {
    throw new RunTaskError(`${name} is a recipe for tasks (.taskcluster.yml), not a task. ${whatToGive}`);
  }
  if (!("payload" in object)) return { kind: "payload", payload: object };
  if (isObject(object["payload"])) return { kind: "definition", definition: object };
  throw new RunTaskError(`The payload in ${name} is ${describe(object["payload"])}, not an object`);
}

function parse(text: string, name: string): unknown {
  if (/^\s*</.test(text)) throw new RunTaskError(`${name} is a web page or XML, not a task. ${whatToGive}`);
  const looksLikeJson = /^\s*[{[]/.test(text);
  try {
    return plain(looksLikeJson ? JSON.parse(text) : fromYaml(text), name);
  } catch (error) {
    if (error instanceof RunTaskError) throw error;
    if (looksLikeJson) return parseBraces(text, { name, error });
    throw new RunTaskError(`${name} is neither JSON nor YAML: ${errorText(error).trimEnd()}`);
  }
}

/** What starts like JSON may be YAML that uses braces; if it is neither, JSON's complaint is the clearer one. */
function parseBraces(text: string, { name, error }: { name: string; error: unknown }): unknown {
  let value: unknown;
  try {
    value = fromYaml(text);
  } catch {
    throw new RunTaskError(`${name} is not valid JSON: ${errorText(error)}`);
  }
  return plain(value, name);
}

function fromYaml(text: string): unknown {
  return parseYaml(text, { merge: true, logLevel: "error" });
}

/** What can be sent to the queue; aliases of YAML can make values that contain themselves. */
function plain(value: unknown, name: string): unknown {
  if (value === undefined) return undefined;
  try {
    return JSON.parse(JSON.stringify(value));
  } catch (error) {
    throw new RunTaskError(
      `${name} holds a value that can't be sent as JSON: ${errorText(error).split("\n")[0]}`,
    );
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}
