/** Runs a helper program of the system and says what went wrong when it fails (weakness K21). */

import { errorText } from "../../base/error_text.ts";

/** Runs the program; what it prints. @throws Error with the command, its end and its output when it fails */
export type RunTool = (argv: readonly string[]) => Promise<string>;

/** The real thing. stdin is closed; stdout and stderr are returned together. */
export const runTool: RunTool = async (argv) => {
  const { code, signal, stdout, stderr } = await run(argv);
  const decoder = new TextDecoder();
  const output = (decoder.decode(stdout) + decoder.decode(stderr)).trim();
  if (code === 0 && signal === null) return output;
  const end = signal === null ? `exit status ${code}` : `signal ${signal}`;
  throw new Error(`Command ${argv.join(" ")} failed with ${end}${output === "" ? "" : `: ${output}`}`);
};

async function run([program = "", ...args]: readonly string[]): Promise<Deno.CommandOutput> {
  try {
    return await new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "piped" })
      .output();
  } catch (error) {
    throw new Error(`Cannot run ${[program, ...args].join(" ")}: ${errorText(error)}`);
  }
}
