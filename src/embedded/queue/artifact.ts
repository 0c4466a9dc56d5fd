/** An artifact as the queue keeps it. */

import type { ArtifactErrorReason } from "../../services/queue_types.ts";

/** Where the content is, by storage type. */
export type ArtifactDetails =
  | { readonly storageType: "s3"; readonly bucket: string; readonly key: string }
  | {
    readonly storageType: "object";
    readonly name: string;
    readonly projectId: string;
    readonly uploadId: string;
  }
  | { readonly storageType: "reference"; readonly url: string }
  | { readonly storageType: "link"; readonly artifact: string }
  | { readonly storageType: "error"; readonly reason: ArtifactErrorReason; readonly message: string };

/** One name of one run. */
export interface Artifact {
  readonly name: string;
  readonly contentType: string;
  readonly contentLength?: number;
  readonly expires: string;
  readonly details: ArtifactDetails;
  /** Content is there as far as the queue knows; false for an object until it is finished. */
  readonly present: boolean;
}

/** The body of `artifact-response.json`. */
export function describeArtifact(artifact: Artifact) {
  const { name, contentType, contentLength, expires, details } = artifact;
  return {
    storageType: details.storageType,
    name,
    expires,
    contentType,
    ...(contentLength === undefined ? {} : { contentLength }),
  };
}
