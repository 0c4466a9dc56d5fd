/** Typed access to the parts of an API request that routing and schemas have already checked. */

import { ApiError, type ApiRequest } from "./service.ts";

/** The URL parameter `name`; an error here is a route that does not declare it. */
export function param(request: ApiRequest, name: string): string {
  const value = request.params[name];
  if (value === undefined) throw new Error(`Cannot handle request: its route has no parameter <${name}>`);
  return value;
}

/** The body as the shape its input schema guarantees. */
export function bodyAs<Body>(request: ApiRequest): Body {
  return request.body as Body;
}

/** Milliseconds since the epoch of a timestamp in a body or query. @throws ApiError InputError when it is none */
export function timeMs(text: string, what: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new ApiError(400, "InputError", `Invalid ${what}: ${text} is not a date`);
  return ms;
}
