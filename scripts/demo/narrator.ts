/** What the demo says: numbered steps with a line of explanation, and below them what programs said themselves. */

import { print } from "../print.ts";

/** Plain text where standard output is no terminal or NO_COLOR is set. */
const styles = { bold: "\x1b[1m", dim: "\x1b[2m", reset: "\x1b[0m" } as const;

export class Narrator {
  readonly #colour = Deno.stdout.isTerminal() && !Deno.noColor;
  #step = 0;

  /** The heading of the next step and what it means. */
  step(heading: string, explanation: string): void {
    this.#step += 1;
    print(`\n${this.#styled("bold", `${this.#step}. ${heading}`)}`);
    print(indented(explanation));
  }

  /** Something to look at, set apart from the explanations. */
  show(text: string): void {
    print(this.#styled("dim", text.trimEnd().replace(/^/gm, "   | ")));
  }

  /** A plain line or several. */
  say(text: string): void {
    print(text);
  }

  #styled(style: "bold" | "dim", text: string): string {
    return this.#colour ? `${styles[style]}${text}${styles.reset}` : text;
  }
}

function indented(text: string): string {
  return text.replace(/^/gm, "   ");
}
