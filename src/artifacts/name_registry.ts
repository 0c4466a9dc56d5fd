/** Which names a payload's artifacts have used so far (weakness W-16). */

/** Who uses a name. */
export interface Claim {
  /** Where its content comes from, for messages. */
  readonly path: string;
  /** With the path: equal for claims that would publish exactly the same. */
  readonly properties: string;
}

/** The first to claim a name has it. */
export class NameRegistry {
  /** Name → path and properties, in one string: directories of 100 000 files are published. */
  readonly #claims = new Map<string, string>();
  readonly #single: boolean;

  /** @param single there is only one entry, whose names can't collide: nothing needs to be remembered */
  constructor({ single }: { single: boolean }) {
    this.#single = single;
  }

  /** `new` for an unused name; otherwise who has it. */
  claim(name: string, { path, properties }: Claim): "new" | Claim {
    if (this.#single) return "new";
    const earlier = this.#claims.get(name);
    if (earlier === undefined) {
      this.#claims.set(name, `${properties}\0${path}`);
      return "new";
    }
    const end = earlier.indexOf("\0");
    return { properties: earlier.slice(0, end), path: earlier.slice(end + 1) };
  }
}
