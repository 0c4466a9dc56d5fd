/** How a command line is shown in logs (spec 02 §4.1). */

/** One argument as the existing worker prints it; a POSIX shell reads it back as the same argument. */
export function shellEscape(argument: string): string {
  if (argument === "") return "''";
  if (/^[A-Za-z0-9_/:='-]+$/.test(argument)) return argument.replaceAll("'", "\\'");
  const quoted = `'${argument.replaceAll("'", "'\\''")}'`;
  return (quoted.startsWith("''") ? quoted.slice(2) : quoted).replaceAll("\\'''", "\\'");
}

/** A whole command line: the escaped arguments joined by a space. */
export function shellCommandLine(words: readonly string[]): string {
  return words.map(shellEscape).join(" ");
}
