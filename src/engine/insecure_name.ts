/** What `#engine-name` names in builds with the insecure engine: the name alone, so that printing it loads no engine. */

import type { EngineName } from "../base/build.ts";

export const engineName: EngineName = "insecure";
