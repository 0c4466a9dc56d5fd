/** URLs that carry their own permission, in the manner of presigned S3 requests (spec 03 §3.3). */

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { StoreRefusal } from "./store_refusal.ts";

/** What a signature allows. */
export interface SignedUse {
  readonly method: "PUT" | "GET";
  /** The only type that may be uploaded. */
  readonly contentType?: string;
  /** The only length that may be uploaded; absent: any. */
  readonly contentLength?: number;
  /** Milliseconds since the epoch. */
  readonly expiresMs: number;
}

/** What a request is about to do. */
export type RequestedUse = Omit<SignedUse, "expiresMs">;

/** Signs and checks with a key of its own, so that no URL outlives the process. */
export class UrlSigner {
  readonly #clock: Clock;
  readonly #secret = randomBytes(32);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The query that allows this use of the path until it expires; without `?`. */
  query(path: string, use: SignedUse): string {
    const nowMs = this.#clock.nowMs();
    const validS = Math.max(0, Math.floor((use.expiresMs - nowMs) / 1000));
    const date = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, "");
    const query = new URLSearchParams({
      "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
      "X-Amz-Date": date,
      "X-Amz-Expires": String(validS),
      "X-Amz-SignedHeaders": signedHeaders(use),
    });
    query.set("X-Amz-Signature", this.#signature(path, query, use));
    return query.toString();
  }

  /**
   * Checks what a request presents against what it is about to do with the path.
   * @throws StoreRefusal AccessDenied, SignatureDoesNotMatch
   */
  require(path: string, query: URLSearchParams, request: RequestedUse): void {
    const given = query.get("X-Amz-Signature");
    if (given === null) throw new StoreRefusal(403, "AccessDenied", "Access Denied");
    const covered = (query.get("X-Amz-SignedHeaders") ?? "").split(";");
    const { contentLength, ...rest } = request;
    const signed = covered.includes("content-length") && contentLength !== undefined
      ? { ...rest, contentLength }
      : rest;
    const expected = this.#signature(path, query, signed);
    if (!sameText(expected, given)) {
      throw new StoreRefusal(
        403,
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
      );
    }
    if (expiryMs(query) < this.#clock.nowMs()) {
      throw new StoreRefusal(403, "AccessDenied", "Request has expired");
    }
  }

  #signature(path: string, query: URLSearchParams, signed: RequestedUse): string {
    const { method, contentType = "", contentLength = "" } = signed;
    const lines = [
      method,
      path,
      query.get("X-Amz-Date"),
      query.get("X-Amz-Expires"),
      query.get("X-Amz-SignedHeaders"),
      contentType,
      contentLength,
    ];
    return createHmac("sha256", this.#secret).update(lines.join("\n")).digest("hex");
  }
}

function signedHeaders({ contentType, contentLength }: SignedUse): string {
  const names = ["host"];
  if (contentType !== undefined) names.unshift("content-type");
  if (contentLength !== undefined) names.unshift("content-length");
  return names.join(";");
}

function expiryMs(query: URLSearchParams): number {
  const date = query.get("X-Amz-Date") ?? "";
  const iso = date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z");
  return Date.parse(iso) + 1000 * Number(query.get("X-Amz-Expires"));
}

function sameText(left: string, right: string): boolean {
  const [a, b] = [new TextEncoder().encode(left), new TextEncoder().encode(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
