/** What `#build` is while the worker runs from its sources; the compile script puts a stamped module in its place. */

import manifest from "../../deno.json" with { type: "json" };

/** Version of the product, from `deno.json`. */
export const version: string = manifest.version;

/** Git commit that the binary was compiled from, 40 hex digits; undefined when run from sources. */
export const revision: string | undefined = undefined;
