/** JSON text whose mistakes and values know their line and column. */

import { type Node, type ParseError, parseTree } from "jsonc-parser";
import type { Problem } from "./problem.ts";

/** Both count from 1; columns are characters. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** What is wrong, by the parser's error codes. */
const syntaxMistakes: Readonly<Record<number, string>> = {
  1: "invalid character",
  2: "invalid number",
  3: "a property name in double quotes is missing",
  4: "a value is missing",
  5: "a colon is missing",
  6: "a comma is missing",
  7: "a closing brace } is missing",
  8: "a closing bracket ] is missing",
  9: "nothing may follow the end of the document",
  10: "comments are not allowed",
  11: "a comment does not end",
  12: "a string does not end",
  13: "a number does not end",
  14: "invalid unicode escape in a string",
  15: "invalid escape in a string",
  16: "invalid character in a string",
};

const deepest = 1000;

/** A document: its tree, its syntax mistakes, and the places of both. */
export class JsonSource {
  /** Undefined when there is nothing that resembles a value. */
  readonly root: Node | undefined;
  readonly mistakes: readonly Problem[];
  readonly #text: string;
  readonly #lineStarts: readonly number[];

  /** @throws SyntaxError for a document so deep that whoever walks through it may run out of stack */
  constructor(text: string) {
    if (depthOf(text) > deepest) {
      throw new SyntaxError(`the document is nested more than ${deepest} levels deep`);
    }
    this.#text = text;
    this.#lineStarts = [0, ...[...text.matchAll(/\r\n|\n|\r/g)].map((end) => end.index + end[0].length)];
    const errors: ParseError[] = [];
    this.root = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
    this.mistakes = this.#describe(errors);
  }

  /** Line and column of a character. */
  position(offset: number): Position {
    let line = this.#lineStarts.findIndex((start) => start > offset);
    if (line < 0) line = this.#lineStarts.length;
    return { line, column: [...this.#text.slice(this.#lineStarts[line - 1], offset)].length + 1 };
  }

  /** The text of a value as it stands in the document. */
  literal(node: Node): string {
    return this.#text.slice(node.offset, node.offset + node.length);
  }

  /** The first mistake of each line: later ones usually follow from it. */
  #describe(errors: readonly ParseError[]): Problem[] {
    const problems: Problem[] = [];
    for (const { error, offset } of errors) {
      const position = this.position(offset);
      if (problems.some((earlier) => earlier.position?.line === position.line)) continue;
      problems.push({
        exitCode: 64,
        position,
        message: `not valid JSON: ${syntaxMistakes[error] ?? "mistake"}`,
      });
    }
    return problems;
  }
}

/** How many objects and arrays lie within each other at most. */
function depthOf(text: string): number {
  let depth = 0;
  let most = 0;
  for (const [token] of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{}]/gs)) {
    if (token === "{" || token === "[") most = Math.max(most, ++depth);
    else if (token === "}" || token === "]") depth--;
  }
  return most;
}
