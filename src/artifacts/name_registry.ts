/** Which names a payload's artifacts have used so far (weakness W-16). */

/** Who uses a name. */
export interface Claim {
  /** Equal for claims that would publish exactly the same. */
  readonly key: string;
  /** Where its content comes from, for messages. */
  readonly path: string;
}

/** The first to claim a name has it. */
export class NameRegistry {
  readonly #claims = new Map<string, Claim>();

  /** `new` for an unused name; otherwise who has it. */
  claim(name: string, claim: Claim): "new" | Claim {
    const earlier = this.#claims.get(name);
    if (earlier) return earlier;
    this.#claims.set(name, claim);
    return "new";
  }
}
