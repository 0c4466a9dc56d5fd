/** What can be published for a run (spec 03 §2, §3.2). */

import type { ArtifactErrorReason } from "../services/queue_types.ts";

export type ContentEncoding = "identity" | "gzip";

/** What every artifact has. */
interface Named {
  readonly name: string;
  /** Timestamp; not later than the task's own expiry. */
  readonly expires: string;
}

/** A file's content. */
export interface DataArtifact extends Named {
  /** Where it comes from, for logs. */
  readonly path: string;
  readonly contentType: string;
  readonly contentEncoding: ContentEncoding;
}

/** The name of something that could not be published, and why. */
export interface ErrorArtifact extends Named {
  readonly path: string;
  readonly reason: ArtifactErrorReason;
  readonly message: string;
}

/** Another name of an artifact of the same run. */
export interface LinkArtifact extends Named {
  readonly target: string;
  readonly contentType?: string;
}

/** An address outside the deployment. */
export interface ReferenceArtifact extends Named {
  readonly url: string;
  readonly contentType: string;
  /** Keep the address out of the worker's log: who knows it may come in. */
  readonly hidden?: boolean;
}
