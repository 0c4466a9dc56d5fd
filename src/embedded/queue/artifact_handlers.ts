/** Entries of the queue about artifacts. */

import type { CreateArtifactRequest } from "../../services/queue_types.ts";
import { paginate } from "../pagination.ts";
import { bodyAs, param } from "../request_parts.ts";
import { ApiError, type ApiHandler, type ApiRequest, type ApiResponse } from "../service.ts";
import { type Artifact, describeArtifact } from "./artifact.ts";
import type { Queue } from "./queue.ts";
import { runIdOf } from "./run_parameter.ts";
import { taskOf } from "./task_handlers.ts";
import type { TaskRecord } from "./task_record.ts";

/** Creating, finding and listing; the `latest` variants take the last run. */
export function artifactHandlers(queue: Queue): Record<string, ApiHandler> {
  return {
    createArtifact: (request) => createArtifact(queue, request),
    finishArtifact: (request) => finishArtifact(queue, request),
    getArtifact: (request) => redirect(queue, located(queue, request, runIdOf(request))),
    getLatestArtifact: (request) => redirect(queue, located(queue, request)),
    artifact: (request) => content(queue, located(queue, request, runIdOf(request))),
    latestArtifact: (request) => content(queue, located(queue, request)),
    artifactInfo: (request) => info(queue, request, runIdOf(request)),
    latestArtifactInfo: (request) => info(queue, request),
    listArtifacts: (request) => list(queue, request, runIdOf(request)),
    listLatestArtifacts: (request) => list(queue, request),
  };
}

async function createArtifact(queue: Queue, request: ApiRequest): Promise<ApiResponse> {
  const record = taskOf(queue, request);
  const run = queue.lifeCycle.run(record, runIdOf(request));
  const name = param(request, "name");
  const body = bodyAs<CreateArtifactRequest>(request);
  return { body: await queue.artifacts.create(record, run, { name, request: body }) };
}

async function finishArtifact(queue: Queue, request: ApiRequest): Promise<ApiResponse> {
  const record = taskOf(queue, request);
  const run = queue.lifeCycle.run(record, runIdOf(request));
  const { uploadId } = bodyAs<{ uploadId: string }>(request);
  await queue.artifacts.finish(record, run, { name: param(request, "name"), uploadId });
  return {};
}

/** The artifact at the end of the links, if the caller may read each of them. */
function located(queue: Queue, request: ApiRequest, runId?: number): Artifact {
  const name = param(request, "name");
  // Without the scope for the name asked for, nobody learns whether it exists, or where it leads.
  request.authorize({ names: [name] });
  const record = taskOf(queue, request);
  const number = runId ?? latestRunId(record);
  const { artifact, names } = queue.artifacts.resolve(record, number, name);
  request.authorize({ names });
  if (artifact) return artifact;
  throw new ApiError(
    404,
    "ResourceNotFound",
    `Artifact ${name} of run ${number} of task ${record.taskId} not found`,
  );
}

function redirect(queue: Queue, artifact: Artifact): ApiResponse {
  const { details } = artifact;
  if (details.storageType === "error") {
    return { status: 424, body: { reason: details.reason, message: details.message } };
  }
  const location = queue.artifacts.contentUrl(artifact);
  if (location === undefined) {
    throw new Error(`Cannot redirect to artifact ${artifact.name}: it has no content`);
  }
  return { status: 303, location, body: { storageType: details.storageType, url: location } };
}

function content(queue: Queue, artifact: Artifact): ApiResponse {
  const { details } = artifact;
  const { storageType } = details;
  if (storageType === "error") {
    return { body: { storageType, reason: details.reason, message: details.message } };
  }
  if (storageType === "object") {
    const credentials = queue.artifacts.downloadCredentials(details.name);
    return { body: { storageType, name: details.name, credentials } };
  }
  return { body: { storageType, url: queue.artifacts.contentUrl(artifact) } };
}

function info(queue: Queue, request: ApiRequest, runId?: number): ApiResponse {
  const record = taskOf(queue, request);
  const artifact = queue.artifacts.required(record, runId ?? latestRunId(record), param(request, "name"));
  return { body: describeArtifact(artifact) };
}

function list(queue: Queue, request: ApiRequest, runId?: number): ApiResponse {
  const record = taskOf(queue, request);
  const { runId: number } = queue.lifeCycle.run(record, runId ?? latestRunId(record));
  const artifacts = queue.artifacts.list(record, number);
  const page = paginate(artifacts, { query: request.query, key: ({ name }) => name });
  return { body: { artifacts: page.items.map(describeArtifact), ...page.more } };
}

function latestRunId(record: TaskRecord): number {
  const run = record.lastRun;
  if (run) return run.runId;
  throw new ApiError(404, "ResourceNotFound", `Task ${record.taskId} has no runs yet`);
}
