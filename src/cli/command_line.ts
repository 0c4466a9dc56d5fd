/** From the words of the command line to an exit code. */

import { buildInfo } from "./build_info.ts";
import { exitCodes } from "./exit_codes.ts";
import { parseArguments, type ParsedArguments } from "./parse_arguments.ts";
import { printError } from "./terminal.ts";
import { UsageMistake } from "./usage_mistake.ts";

/** Carries out the command that `words` name; gives the exit code of the process. */
export async function runCommandLine(words: readonly string[]): Promise<number> {
  try {
    return await carryOut(parseArguments(words, buildInfo));
  } catch (error) {
    if (error instanceof UsageMistake) return await explain(error);
    const text = error instanceof Error ? error.stack ?? error.message : String(error);
    printError(`Internal error, please report it: ${text}\n`);
    return exitCodes.internalError.code;
  }
}

async function carryOut({ command, given }: ParsedArguments): Promise<number> {
  if (command.load) return await (await command.load()).execute(given);
  printError(`The command ${command.name} is not part of this build\n`);
  return exitCodes.internalError.code;
}

/** One line that names the mistake, then the usage block. Loaded only now, to keep the way to the commands short. */
async function explain(mistake: UsageMistake): Promise<number> {
  const { closestName } = await import("../base/closest_name.ts");
  const { usage } = await import("./usage.ts");
  const meant = closestName(mistake.written, mistake.known);
  const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
  printError(`${mistake.message}${hint}\n${usage(buildInfo)}`);
  return exitCodes.usage.code;
}
