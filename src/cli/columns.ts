/** Text in columns that fit a terminal. */

/** The width that every terminal has. */
export const terminalWidth = 80;

/** A space at which no line ends. */
export const hardSpace = "\u00a0";

/** Breaks `text` between words; every line starts with `indent` spaces and ends before column 81. */
export function wrap(text: string, indent: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && indent + longer.length > terminalWidth) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line].map((each) => " ".repeat(indent) + each).join("\n").replaceAll(hardSpace, " ");
}

/** A term at the left, its explanation at column `indent`; a term that is too long stands on a line of its own. */
export function entry(term: string, text: string, indent: number): string {
  const wrapped = wrap(text, indent);
  const left = `  ${term}`;
  return left.length < indent - 1 ? left.padEnd(indent) + wrapped.slice(indent) : `${left}\n${wrapped}`;
}
