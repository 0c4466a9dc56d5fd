/** The table of settings inside `d2gConfig` (spec 01 §3.4). */

import type { Setting } from "./setting.ts";

export const d2gSettings = [
  { name: "enableD2G", type: "bool", default: false, meaning: "Run docker-worker payloads" },
  { name: "allowChainOfTrust", type: "bool", default: true, meaning: "Allow the feature chainOfTrust" },
  {
    name: "allowDisableSeccomp",
    type: "bool",
    default: true,
    meaning: "Allow the capability disableSeccomp",
  },
  { name: "allowGPUs", type: "bool", default: false, meaning: "Give GPUs to containers" },
  {
    name: "allowHostSharedMemory",
    type: "bool",
    default: true,
    meaning: "Allow the device hostSharedMemory",
  },
  { name: "allowInteractive", type: "bool", default: true, meaning: "Allow the feature interactive" },
  { name: "allowKVM", type: "bool", default: true, meaning: "Allow the device kvm" },
  { name: "allowLoopbackAudio", type: "bool", default: true, meaning: "Allow the device loopbackAudio" },
  { name: "allowLoopbackVideo", type: "bool", default: true, meaning: "Allow the device loopbackVideo" },
  { name: "allowPrivileged", type: "bool", default: true, meaning: "Allow privileged containers" },
  { name: "allowPtrace", type: "bool", default: true, meaning: "Allow the feature allowPtrace" },
  {
    name: "allowTaskclusterProxy",
    type: "bool",
    default: true,
    meaning: "Allow the feature taskclusterProxy",
  },
  { name: "gpus", type: "string", default: "all", meaning: "Which GPUs, as `docker run --gpus` takes it" },
  { name: "logTranslation", type: "bool", default: true, meaning: "Accepted and not used" },
] as const satisfies readonly Setting[];
