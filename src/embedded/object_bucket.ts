/** The bucket of the artifact store in which the object service keeps its bytes. */

import type { ObjectStore } from "./object_store.ts";
import type { ArtifactStore } from "./store.ts";

const bucket = "objects";

/** What the object service asks for, in terms of the artifact store. */
export function objectBucket(store: ArtifactStore): ObjectStore {
  return {
    putUrl: (key, options) => store.putUrl({ bucket, key }, options),
    getUrl: (key, options) => store.getUrl({ bucket, key }, options),
    has: (key) => store.find({ bucket, key }) !== undefined,
    write: (key, bytes, options) => store.write({ bucket, key }, bytes, options),
    remove: (key) => store.remove({ bucket, key }),
  };
}
