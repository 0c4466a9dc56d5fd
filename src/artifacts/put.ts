/** One HTTP PUT to a presigned URL: what is sent and what comes back. */

export interface PutAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  /** The beginning of the body, for logs; empty on success. */
  readonly body: string;
}

export interface PutOptions {
  readonly signal: AbortSignal;
  /** Gives up when nothing moved for this long. */
  readonly stallMs: number;
  /** PEM certificates of authorities trusted besides those of the system. */
  readonly caCerts?: readonly string[];
}

/** Nothing moved on the connection for too long. */
export class StalledError extends Error {
  override name = "StalledError";

  constructor(stallMs: number) {
    super(`the store took or sent nothing for ${Math.round(stallMs / 1000)} s`);
  }
}

/** How much of an answer's body is kept. */
export const keptAnswerBytes = 16 * 1024;

/** May it stand in a header as it is? */
export function isHeaderValue(value: string): boolean {
  return /^[\x20-\x7e]*$/.test(value);
}
