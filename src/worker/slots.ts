/** Concurrency slots and the block of ports that goes with each (spec 01 §3.5). */

import type { Config } from "../config/config.ts";
import type { SlotPorts } from "../task/task_run.ts";

/** Ports between the blocks of neighbouring slots. */
const stride = 4;

export interface Slot {
  readonly index: number;
  readonly ports: SlotPorts;
}

export class Slots {
  readonly #config: Config;
  readonly #taken = new Set<number>();

  constructor(config: Config) {
    this.#config = config;
  }

  get free(): number {
    return this.#config.capacity - this.#taken.size;
  }

  /** Takes the lowest free slot. @throws Error when there is none: a bug in the caller */
  take(): Slot {
    for (let index = 0; index < this.#config.capacity; index++) {
      if (this.#taken.has(index)) continue;
      this.#taken.add(index);
      return { index, ports: slotPorts(this.#config, index) };
    }
    throw new Error("no available port slots");
  }

  release(slot: Slot): void {
    this.#taken.delete(slot.index);
  }
}

/** Ports of a slot; those of disabled features are 0. */
export function slotPorts(config: Config, index: number): SlotPorts {
  const offset = stride * index;
  const port = (enabled: boolean, base: number) => enabled ? base + offset : 0;
  return {
    liveLogPut: port(config.enableLiveLog, config.livelogPortBase),
    liveLogGet: port(config.enableLiveLog, config.livelogPortBase + 1),
    interactive: port(config.enableInteractive, config.interactivePort),
    proxy: port(config.enableTaskclusterProxy, config.taskclusterProxyPort),
  };
}

/** As the worker log shows them. */
export function describePorts(ports: SlotPorts): string {
  return `LiveLog(PUT/GET)=${ports.liveLogPut}/${ports.liveLogGet}, Interactive=${ports.interactive}, ` +
    `TaskclusterProxy=${ports.proxy}`;
}
