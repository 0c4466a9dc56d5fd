/** What checking one value against one schema gave: what is wrong with it, and how well it fits all the same. */

/** The way from the root of the payload to a value; undefined is the root. */
export interface Place {
  readonly parent: Place | undefined;
  readonly segment: string | number;
}

/** Something wrong with the value at `place`; the wording may name the field. */
export interface Violation {
  readonly place: Place | undefined;
  readonly message: (field: string) => string;
}

const longestNameCharacters = 200;

/** Violations kept word for word; of a payload with more, the rest is only counted. */
const mostViolationsKept = 1000;

/** Adds up as a value and what is inside it are checked. */
export class Verdict {
  /** How well the value fits the schema (spec 02 §2.2). */
  score: number;
  readonly violations: Violation[] = [];
  /** How many more violations there are than `violations` has. */
  untold = 0;

  constructor(score: number) {
    this.score = score;
  }

  get valid(): boolean {
    return this.violations.length === 0;
  }

  /** Records a violation of the value's own, which costs two points. */
  violated(place: Place | undefined, message: (field: string) => string): void {
    this.score -= 2;
    this.#keep({ place, message });
  }

  /** Takes over score and violations of something inside the value. */
  absorb(inner: Verdict): void {
    this.score += inner.score;
    this.untold += inner.untold;
    for (const violation of inner.violations) this.#keep(violation);
  }

  #keep(violation: Violation): void {
    if (this.violations.length < mostViolationsKept) this.violations.push(violation);
    else this.untold++;
  }
}

/** `<field>: <message>`, as in the task log (spec 02 §2.2). */
export function describeViolation({ place, message }: Violation): string {
  const field = fieldName(place);
  return `${field}: ${message(field)}`;
}

/** A name chosen by the task's author, cut where it would drown the message. */
export function shortened(name: string): string {
  if (name.length <= longestNameCharacters) return name;
  return `${name.slice(0, longestNameCharacters).toWellFormed()}…`;
}

function fieldName(place: Place | undefined): string {
  if (!place) return "(root)";
  const segments: string[] = [];
  for (let at: Place | undefined = place; at; at = at.parent) segments.push(shortened(String(at.segment)));
  return segments.reverse().join(".");
}
