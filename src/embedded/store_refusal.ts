/** Refusals of the artifact store, worded as S3 words them: a status, a code, a sentence, all in XML. */

import type { HttpAnswer } from "./http/message.ts";

/** Thrown where a request to the store goes wrong. */
export class StoreRefusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** @param target what was asked for; its query stays out of the answer */
export function refusalAnswer({ status, code, message }: StoreRefusal, target: string): HttpAnswer {
  const resource = target.replace(/\?.*/s, "").replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const xml = `<?xml version="1.0" encoding="UTF-8"?>\n` +
    `<Error><Code>${code}</Code><Message>${message}</Message><Resource>${resource}</Resource></Error>`;
  return { status, headers: { "content-type": "application/xml" }, body: new TextEncoder().encode(xml) };
}
