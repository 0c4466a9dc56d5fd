/** The types a setting can have, and the limits of each (spec 01 §3.3). */

/** `uint` is as wide as `uint64`. `metadata` is an object with members of any kind; `d2g` one with a table of its own. */
export type SettingType =
  | "string"
  | "bool"
  | "ip"
  | "uint8"
  | "uint16"
  | "uint32"
  | "uint64"
  | "uint"
  | "metadata"
  | "d2g";

/** A type whose values are whole numbers, written in JSON without sign, fraction or exponent. */
export type IntegerType = Extract<SettingType, `uint${string}`>;

const largest: Readonly<Record<IntegerType, bigint>> = {
  uint8: (1n << 8n) - 1n,
  uint16: (1n << 16n) - 1n,
  uint32: (1n << 32n) - 1n,
  uint64: (1n << 64n) - 1n,
  uint: (1n << 64n) - 1n,
};

export function isIntegerType(type: SettingType): type is IntegerType {
  return type in largest;
}

/** The largest value of an integer type. */
export function largestOf(type: IntegerType): bigint {
  return largest[type];
}

/** What values of a type look like, in words: `a whole number from 0 to 255`. */
export function describeType(type: SettingType, least = 0): string {
  if (isIntegerType(type)) return `a whole number from ${least} to ${largest[type]}`;
  const words: Readonly<Record<Exclude<SettingType, IntegerType>, string>> = {
    string: "a string",
    bool: "true or false",
    ip: 'a string with an IPv4 or IPv6 address, or ""',
    metadata: "an object",
    d2g: "an object",
  };
  return words[type];
}
