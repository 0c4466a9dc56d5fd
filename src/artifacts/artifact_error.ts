/** Why an artifact could not be published (spec 03 §3.6). */

export type ArtifactErrorKind =
  /** The queue or the store stayed out of reach or in trouble. */
  | "unavailable"
  /** The content is stored, but the queue could not be told so. */
  | "unfinished"
  /** The queue knows an artifact of this name with other properties. */
  | "conflict"
  /** The queue refused for another reason: something is wrong with this worker. */
  | "refused"
  /** The payload asks for what no store can take. */
  | "malformed"
  /** The file can't be read any more. */
  | "unreadable";

/** An artifact was not published. */
export class ArtifactError extends Error {
  override name = "ArtifactError";
  readonly kind: ArtifactErrorKind;

  constructor(kind: ArtifactErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** Nobody waits for the artifact any more: the run is cancelled, past its deadline, or another worker's. */
export class RunResolvedError extends Error {
  override name = "RunResolvedError";
}
