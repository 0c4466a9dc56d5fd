/** Errors that workers report about themselves. */

import { nice } from "slugid";
import { formatTimestamp } from "../../base/timestamp.ts";
import { paginate } from "../pagination.ts";
import { bodyAs, param } from "../request_parts.ts";
import type { ApiHandler, ApiRequest, ApiResponse } from "../service.ts";
import type { Context } from "./context.ts";
import { requiredPool } from "./lookup.ts";
import type { WorkerPoolError } from "./registry.ts";

/** Reporting, listing and counting them. */
export function errorHandlers(context: Context): Record<string, ApiHandler> {
  const { registry } = context;
  return {
    reportWorkerError: (request) => reportWorkerError(context, request),
    listWorkerPoolErrors: (request) => {
      const errorId = request.query.get("errorId");
      const wanted = registry.errors(param(request, "workerPoolId"))
        .filter((error) => errorId === null || error.errorId === errorId)
        .filter(() => request.query.get("launchConfigId") === null);
      const page = paginate(wanted, { query: request.query, key: errorKey(wanted) });
      return { body: { workerPoolErrors: page.items.map(describeError), ...page.more } };
    },
    workerPoolErrorStats: (request) => {
      const workerPoolId = request.query.get("workerPoolId") ?? "";
      request.authorize({ workerPoolId });
      const errors = registry.errors(workerPoolId === "" ? undefined : workerPoolId);
      return { body: { workerPoolId, totals: countErrors(errors) } };
    },
  };
}

interface ErrorReport {
  readonly workerGroup: string;
  readonly workerId: string;
  readonly kind: string;
  readonly title: string;
  readonly description: string;
  readonly extra: Readonly<Record<string, unknown>>;
}

function reportWorkerError(context: Context, request: ApiRequest): ApiResponse {
  const { workerGroup, workerId, ...report } = bodyAs<ErrorReport>(request);
  request.authorize({ workerGroup, workerId });
  const { workerPoolId } = requiredPool(context.registry, param(request, "workerPoolId"));
  const error: WorkerPoolError = {
    ...report,
    errorId: nice(),
    workerPoolId,
    reportedMs: context.clock.nowMs(),
    extra: { ...report.extra, workerGroup, workerId },
  };
  context.registry.addError(error);
  return { body: describeError(error) };
}

/** Errors are listed latest first: the key of each is its distance from the oldest, counted down. */
function errorKey(errors: readonly WorkerPoolError[]): (error: WorkerPoolError) => string {
  const ranks = new Map(errors.map((error, index) => [error.errorId, errors.length - index]));
  return (error) => String(Number.MAX_SAFE_INTEGER - (ranks.get(error.errorId) ?? 0));
}

function countErrors(errors: readonly WorkerPoolError[]) {
  return {
    total: errors.length,
    daily: countBy(errors, (error) => formatTimestamp(error.reportedMs).slice(0, 10)),
    hourly: countBy(errors, (error) => formatTimestamp(error.reportedMs).slice(0, 13)),
    title: countBy(errors, (error) => error.title),
    code: countBy(errors, (error) => typeof error.extra["code"] === "string" ? error.extra["code"] : "other"),
    launchConfig: {},
    workerPool: countBy(errors, (error) => error.workerPoolId),
  };
}

function countBy<Item>(items: readonly Item[], key: (item: Item) => string): Record<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return Object.fromEntries(counts);
}

function describeError({ reportedMs, ...error }: WorkerPoolError) {
  return { ...error, reported: formatTimestamp(reportedMs) };
}
