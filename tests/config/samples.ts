/** What tests of the configuration start from. */

import type { Build } from "../../src/base/build.ts";

export const insecure: Build = { engine: "insecure", os: "linux" };
export const multiuser: Build = { engine: "multiuser", os: "linux" };

/** The settings that every file must give, on the insecure engine. */
export const minimal = {
  accessToken: "token",
  clientId: "client",
  rootURL: "https://tc.example.com",
  workerType: "type",
  workerId: "worker-1",
};
