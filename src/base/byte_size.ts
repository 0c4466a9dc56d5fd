/** Sizes as the task log prints them (spec 01 §9.3). */

const units = [["GiB", 1024 ** 3], ["MiB", 1024 ** 2], ["KiB", 1024]] as const;

/** Two decimals with `KiB`, `MiB` or `GiB`; whole bytes below one KiB (weakness K28: no six decimals). */
export function formatByteSize(sizeBytes: number): string {
  for (const [name, unitBytes] of units) {
    if (sizeBytes >= unitBytes) return `${(sizeBytes / unitBytes).toFixed(2)} ${name}`;
  }
  return `${Math.round(sizeBytes)} B`;
}
