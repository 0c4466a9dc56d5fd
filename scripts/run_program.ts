/** Runs a program for a script and turns its failure into an error that shows what it printed. */

/** How to run it. */
export interface RunOptions {
  readonly cwd?: string;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a program to its end.
 * @returns what it wrote to stdout, without the closing newline
 * @throws Error with its output when it cannot be started or exits with another code than 0
 */
export async function runProgram(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const [program = "", ...args] = command;
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    stdin: "null",
    env: { NO_COLOR: "1", ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trimEnd();
  if (code !== 0) {
    throw new Error(`${command.join(" ")} failed with exit code ${code}\n${text(stderr)}\n${text(stdout)}`);
  }
  return text(stdout);
}
