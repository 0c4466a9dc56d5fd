/** Which local ports the worker's features need, and whether they get in each other's way (spec 01 §3.5). */

import type { Config } from "./config.ts";

/** The offset between the ports of two tasks that run at the same time. */
export const portsPerTask = 4;

type PortSetting = "livelogPortBase" | "interactivePort" | "taskclusterProxyPort";

/** Both ends belong to it. */
export interface PortRange {
  readonly setting: PortSetting;
  readonly first: number;
  readonly last: number;
}

/** The ranges of the enabled features. */
export function portRanges(config: Config): PortRange[] {
  const furthest = portsPerTask * (config.capacity - 1);
  const range = (setting: PortSetting, width: number): PortRange => ({
    setting,
    first: config[setting],
    last: config[setting] + furthest + width - 1,
  });
  return [
    ...config.enableLiveLog ? [range("livelogPortBase", 2)] : [],
    ...config.enableInteractive ? [range("interactivePort", 1)] : [],
    ...config.enableTaskclusterProxy ? [range("taskclusterProxyPort", 1)] : [],
  ];
}

/** As in `60098-60099`. */
export function rangeText({ first, last }: PortRange): string {
  return `${first}-${last}`;
}

/** The pairs of ranges that share a port, the lower one first. */
export function overlaps(ranges: readonly PortRange[]): [PortRange, PortRange][] {
  return ranges.flatMap((one, index) =>
    ranges.slice(index + 1)
      .filter((other) => one.first <= other.last && other.first <= one.last)
      .map((other): [PortRange, PortRange] => one.first <= other.first ? [one, other] : [other, one])
  );
}
