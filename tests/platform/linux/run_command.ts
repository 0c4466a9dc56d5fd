/** Runs commands on the Linux platform and collects what they print, for the tests beside this file. */

import { createPlatform } from "../../../src/platform/linux/mod.ts";
import type { ExitStatus, OutputPipe, Platform, SpawnedProcess } from "../../../src/platform/platform.ts";

export const testEnvironment = { PATH: "/usr/local/bin:/usr/bin:/bin" };

/** A platform with one output pipe, whose text can be waited for. */
export class CommandRunner {
  readonly platform: Platform;
  readonly output: OutputPipe;
  readonly #decoder = new TextDecoder();
  readonly #waiting = new Set<() => void>();
  text = "";

  constructor(platform: Platform = createPlatform()) {
    this.platform = platform;
    this.output = platform.createOutputPipe();
    this.output.start((bytes) => {
      this.text += this.#decoder.decode(bytes, { stream: true });
      for (const check of this.#waiting) check();
    });
  }

  /** Starts a shell script. */
  script(text: string, env: Record<string, string> = testEnvironment): SpawnedProcess {
    return this.platform.spawn({ argv: ["sh", "-c", text], cwd: "/", env, output: this.output });
  }

  /** Runs a command to its end; everything it printed is in `text` then. */
  async run(argv: readonly string[], cwd = "/"): Promise<ExitStatus> {
    const process = this.platform.spawn({ argv, cwd, env: testEnvironment, output: this.output });
    const status = await process.exited;
    this.output.drain();
    return status;
  }

  /** Settles when the output matches; gives the match. */
  printed(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve) => {
      const check = () => {
        const match = pattern.exec(this.text);
        if (match === null) return;
        this.#waiting.delete(check);
        resolve(match);
      };
      this.#waiting.add(check);
      check();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.output.close();
    // A test that failed has left them running, and would be waited for instead of reported.
    this.platform.killEverything();
    await this.platform.idle();
  }
}

/** Is there a living process with this number? Zombies are not alive. */
export function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    return false;
  }
}

/** Descriptors the test process has open. */
export function openDescriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}
