/** What is thrown when an archive can't be extracted. */

/** Where in an archive something happened. */
export interface ArchivePlace {
  /** The entry's name as archived; absent before the first and after the last entry. */
  readonly entry?: string;
  /** Where there is no entry: the one before. */
  readonly after?: string;
  /** Bytes from the start of the archive, of a compressed tarball after decompression. */
  readonly offsetBytes: number;
}

/** An archive can't be extracted. The message says why and where: the archive, the entry and the byte offset. */
export class ArchiveError extends Error {
  override name = "ArchiveError";
  /** Why, without the place. */
  readonly reason: string;
  readonly entry: string | undefined;
  readonly offsetBytes: number;

  constructor(reason: string, place: ArchivePlace & { source: string }, options?: ErrorOptions) {
    super(`${reason} (${place.source}${nameOf(place)}, byte ${place.offsetBytes})`, options);
    this.reason = reason;
    this.entry = place.entry;
    this.offsetBytes = place.offsetBytes;
  }
}

function nameOf(place: ArchivePlace): string {
  if (place.entry !== undefined) return `, entry ${JSON.stringify(place.entry)}`;
  return place.after === undefined ? "" : `, after entry ${JSON.stringify(place.after)}`;
}

/** What readers throw: the reason alone. Whoever started them knows the place and makes an `ArchiveError` of it. */
export class Damage extends Error {
  override name = "Damage";
}
