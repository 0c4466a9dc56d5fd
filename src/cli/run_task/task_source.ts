/** Reads what `run-task` is given: a file, standard input, a URL, or a task id of a public deployment. */

import { parse as parseYaml } from "yaml";
import { errorText } from "../../base/error_text.ts";

/** A task definition, or a bare payload. */
export type GivenTask =
  | { readonly kind: "definition"; readonly definition: Readonly<Record<string, unknown>> }
  | { readonly kind: "payload"; readonly payload: Readonly<Record<string, unknown>> };

/** What was given is not a task; the message says what to do. */
export class TaskSourceError extends Error {
  override name = "TaskSourceError";
}

const taskIdPattern = /^[A-Za-z0-9_-]{8}[Q-T][A-Za-z0-9_-][CGKOSWaeimquy26-][A-Za-z0-9_-]{10}[AQgw]$/;

/**
 * Reads and tells apart definitions and payloads: a definition has a `payload`, a payload has a `command`, an
 * `image` or neither.
 *
 * @param source path, `-`, URL of a definition or of a task's page, or a task id
 * @throws TaskSourceError
 */
export async function readTask(source: string, environment: { rootUrl?: string }): Promise<GivenTask> {
  const text = await readText(source, environment);
  const value = parse(text, source);
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new TaskSourceError(
      `${source} holds ${describe(value)}, not an object. Give a task definition or a payload`,
    );
  }
  const object = value as Record<string, unknown>;
  if (isObject(object["payload"])) return { kind: "definition", definition: object };
  if (isObject(object["task"]) && isObject(object["task"]["payload"])) {
    return { kind: "definition", definition: object["task"] };
  }
  return { kind: "payload", payload: object };
}

async function readText(source: string, environment: { rootUrl?: string }): Promise<string> {
  try {
    if (source === "-") return await new Response(Deno.stdin.readable).text();
    if (/^https?:\/\//.test(source)) return await download(definitionUrl(source));
    if (taskIdPattern.test(source) && !await exists(source)) {
      return await download(urlOfId(source, environment));
    }
    return await Deno.readTextFile(source);
  } catch (error) {
    if (error instanceof TaskSourceError) throw error;
    throw new TaskSourceError(`Could not read ${source}: ${errorText(error)}`);
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

function urlOfId(taskId: string, { rootUrl }: { rootUrl?: string }): string {
  if (rootUrl) return `${rootUrl.replace(/\/+$/, "")}/api/queue/v1/task/${taskId}`;
  throw new TaskSourceError(
    `${taskId} is a task id, but of which deployment? Set TASKCLUSTER_ROOT_URL, or give the URL of the task`,
  );
}

/** The address of a task's page in the web interface stands for its definition. */
function definitionUrl(url: string): string {
  const page = /^(https?:\/\/[^/]+)\/tasks\/([^/?#]+)/.exec(url);
  return page ? `${page[1]}/api/queue/v1/task/${page[2]}` : url;
}

async function download(url: string): Promise<string> {
  const response = await fetch(url);
  if (response.ok) return await response.text();
  await response.body?.cancel();
  throw new TaskSourceError(
    `Could not read ${url}: HTTP ${response.status}. Is the task public, and the id right?`,
  );
}

/** JSON is YAML, but JSON's own parser tells better where it went wrong. */
function parse(text: string, source: string): unknown {
  try {
    return /^\s*[{[]/.test(text) ? JSON.parse(text) : parseYaml(text);
  } catch (jsonError) {
    try {
      return parseYaml(text);
    } catch (yamlError) {
      const error = /^\s*[{[]/.test(text) ? jsonError : yamlError;
      throw new TaskSourceError(`${source} is neither JSON nor YAML: ${errorText(error)}`);
    }
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}
