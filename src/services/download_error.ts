/** Why a download did not succeed, and whether another attempt may help. */

import { errorChainText } from "../base/error_text.ts";

/** Where it went wrong: before there was an answer, while its body came in, or on our own disk. */
export type DownloadStage = "request" | "body" | "file";

export interface DownloadErrorOptions extends ErrorOptions {
  readonly stage: DownloadStage;
  /** Is it worth trying again? */
  readonly temporary: boolean;
  /** Try again for no longer than this; default as long as anything. */
  readonly retryForMs?: number;
}

/** The message says why, without the address: that may be signed, and tasks' logs are public. */
export class DownloadError extends Error {
  override name = "DownloadError";
  readonly stage: DownloadStage;
  readonly temporary: boolean;
  readonly retryForMs: number | undefined;

  constructor(message: string, options: DownloadErrorOptions) {
    super(message, options);
    this.stage = options.stage;
    this.temporary = options.temporary;
    this.retryForMs = options.retryForMs;
  }
}

/** A name that is not known now may be known in a moment, but hardly much later (weakness W-47). */
const unknownNameRetryMs = 30_000;

/** What a failing `fetch` means. */
export function networkError(cause: unknown, stage: DownloadStage): DownloadError {
  const text = withoutAddresses(errorChainText(cause));
  if (/dns error/i.test(text)) {
    return new DownloadError(text, { cause, stage, temporary: true, retryForMs: unknownNameRetryMs });
  }
  const final = /invalid peer certificate|can ?not redirect|ports? .*blocked|maximum number of redirects/i
    .test(text);
  return new DownloadError(text, { cause, stage, temporary: !final });
}

/** The runtime names the address it failed at, which may have been redirected to, and be signed. */
function withoutAddresses(text: string): string {
  return text.replaceAll(/ for url \(\S*\)/g, "").replaceAll(/(https?:\/\/[^\s?#]*)[?#]\S*/g, "$1");
}
