/** What a worker starts with, but was probably not meant so. Nothing here keeps a worker from starting. */

import type { Build } from "../base/build.ts";
import type { Config } from "./config.ts";
import { portRanges, rangeText } from "./port_ranges.ts";
import type { Problem } from "./problem.ts";

/** The queue's rule for names of workers and groups (spec 01 §3.3). */
const queueName = /^[a-zA-Z0-9_-]{1,38}$/;
/** What one call of claimWork may ask for (K5). */
const largestClaim = 32;
const lastAudioDevice = 31;

/** Every doubt about the values. */
export function doubts(config: Config, build: Build): Problem[] {
  return [
    ...names(config),
    ...capacity(config, build),
    ...exposedPort(config),
    ...limits(config, build),
    ...unused(config, build),
  ];
}

function names(config: Config): Problem[] {
  const broken = (["workerGroup", "workerId"] as const)
    .filter((setting) => config[setting] !== "" && !queueName.test(config[setting]));
  const problems: Problem[] = broken.map((setting) => ({
    setting,
    message:
      `"${setting}" is ${JSON.stringify(config[setting])}, which the queue will refuse: it takes 1 to 38 ` +
      "letters, digits, - and _",
    found: JSON.stringify(config[setting]),
    allowed: "1 to 38 letters, digits, - and _",
  }));
  if (config.rootURL !== "" && !isHttpUrl(config.rootURL)) {
    problems.push({
      setting: "rootURL",
      message: `"rootURL" is ${JSON.stringify(config.rootURL)}, which is not an http or https URL`,
      found: JSON.stringify(config.rootURL),
      allowed: "an http or https URL",
    });
  }
  return problems;
}

function isHttpUrl(text: string): boolean {
  return /^https?:$/.test(URL.parse(text)?.protocol ?? "");
}

function capacity(config: Config, build: Build): Problem[] {
  const messages = [
    ...config.capacity > 1 && build.engine === "insecure"
      ? ["tasks that run at the same time are not isolated from each other on the insecure engine"]
      : [],
    ...config.capacity > largestClaim
      ? [`the queue gives out at most ${largestClaim} tasks in one call, so it is asked several times`]
      : [],
  ];
  return messages.map((message) => ({
    setting: "capacity",
    message: `"capacity" is ${config.capacity}: ${message}`,
    found: String(config.capacity),
  }));
}

/** K16: the port that is shown to the public is left out of the rules about local ports. */
function exposedPort(config: Config): Problem[] {
  const port = config.livelogExposePort;
  const throughTunnel = config.wstServerURL !== "" && config.wstAudience !== "";
  if (port === 0 || !config.enableLiveLog || throughTunnel) return [];
  const taken = portRanges(config).filter(({ first, last }) => first <= port && port <= last)
    .map((range) => `the ports ${rangeText(range)} of "${range.setting}" contain it`);
  const single = config.capacity > 1
    ? ["only one task at a time can have it, the live logs of others are at any free port"]
    : [];
  return [...taken, ...single].map((reason) => ({
    setting: "livelogExposePort",
    message: `"livelogExposePort" is ${port}, but ${reason}`,
    found: String(port),
    allowed: "0, for any free port",
  }));
}

function limits(config: Config, build: Build): Problem[] {
  const problems: Problem[] = [];
  if (build.os === "linux" && config.loopbackAudioDeviceNumber > lastAudioDevice) {
    problems.push({
      setting: "loopbackAudioDeviceNumber",
      message:
        `"loopbackAudioDeviceNumber" is ${config.loopbackAudioDeviceNumber}, but the kernel has devices 0 ` +
        `to ${lastAudioDevice}: every task that uses loopbackAudio will fail`,
      found: String(config.loopbackAudioDeviceNumber),
      allowed: `a whole number from 0 to ${lastAudioDevice}`,
    });
  }
  if (config.maxMemoryUsagePercent > 100) {
    problems.push({
      setting: "maxMemoryUsagePercent",
      message:
        `"maxMemoryUsagePercent" is ${config.maxMemoryUsagePercent}: more than 100 is never used, so no ` +
        "task is killed for a lack of memory",
      found: String(config.maxMemoryUsagePercent),
      allowed: "a whole number from 0 to 100",
    });
  }
  return problems;
}

function unused(config: Config, build: Build): Problem[] {
  const problems: Problem[] = [];
  if ((config.wstServerURL === "") !== (config.wstAudience === "")) {
    const [given, missing] = config.wstServerURL === ""
      ? ["wstAudience", "wstServerURL"]
      : ["wstServerURL", "wstAudience"];
    problems.push({ setting: given, message: `"${given}" is not used without "${missing}"` });
  }
  if (config.runAfterUserCreation !== "" && build.engine === "insecure") {
    problems.push({
      setting: "runAfterUserCreation",
      message: '"runAfterUserCreation" is ignored by the insecure engine, which creates no users',
    });
  }
  return problems;
}
