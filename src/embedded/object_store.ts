/** Where the object service keeps bytes: what it asks of the store of the embedded Taskcluster. */

/** A store of its own for objects; names are any text. URLs it gives out are signed and end at `expiresMs`. */
export interface ObjectStore {
  /**
   * A URL that takes one PUT with exactly this content type and length. The object shows up under `name` when the
   * PUT has been answered, not before.
   */
  putUrl(
    name: string,
    options: { contentType: string; contentLength: number; expiresMs: number },
  ): string;
  /** A URL that serves the object with its content type, without redirects (spec 03 §4.2). */
  getUrl(name: string, options: { expiresMs: number }): string;
  has(name: string): boolean | Promise<boolean>;
  /** Stores the bytes at once, replacing what is there. */
  write(name: string, bytes: Uint8Array, options: { contentType: string }): void | Promise<void>;
  /** Forgets the object; nothing happens when there is none. */
  remove(name: string): void | Promise<void>;
}
