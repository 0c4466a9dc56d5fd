/** The `<runId>` of queue routes. */

import { param } from "../request_parts.ts";
import { ApiError, type ApiRequest } from "../service.ts";

/** @throws ApiError InvalidRequestArguments when it is not a number from 0 to 999 */
export function runIdOf(request: ApiRequest): number {
  const text = param(request, "runId");
  if (/^(0|[1-9][0-9]{0,2})$/.test(text)) return Number(text);
  throw new ApiError(
    400,
    "InvalidRequestArguments",
    `Invalid URL: runId ${text} is not a number from 0 to 999`,
  );
}
