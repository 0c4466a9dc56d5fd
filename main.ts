/** Starts the program: finds the command, runs it, sets the exit code. */

import { runCommandLine } from "./src/cli/command_line.ts";

Deno.exit(await runCommandLine(Deno.args));
