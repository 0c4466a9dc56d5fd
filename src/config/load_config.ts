/** Loads the configuration that the worker runs with (spec 01 §3). */

import type { Build } from "../base/build.ts";
import type { Config } from "./config.ts";
import { ConfigError } from "./config_error.ts";
import { reportOnFile } from "./config_report.ts";
import { describeProblem } from "./problem.ts";

/** Which build loads it, and who hears of doubtful settings. */
export interface LoadConfigOptions extends Build {
  /** Called once for each setting that works but was probably not meant so. */
  readonly warn?: (message: string) => void;
}

/**
 * Effective values of all settings.
 *
 * @throws ConfigError with exit code 64 when the file can't be decoded, 73 when a required setting is missing or settings
 * contradict each other; it names every mistake
 */
export async function loadConfig(path: string, options: LoadConfigOptions): Promise<Config> {
  const { problems, config } = await reportOnFile(path, options);
  const mistakes = problems.filter(({ exitCode }) => exitCode !== undefined);
  if (mistakes.length > 0) throw new ConfigError(path, mistakes);
  for (const doubt of problems) options.warn?.(`Config file ${path}: ${describeProblem(doubt)}`);
  return config;
}
