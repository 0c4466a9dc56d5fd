/** An object store in memory whose URLs are names: what tests of the object service need of the real one. */

import type { ObjectStore } from "../../src/embedded/object_store.ts";

interface Grant {
  readonly name: string;
  readonly contentType: string;
  readonly contentLength: number;
  readonly expiresMs: number;
}

export class MemoryObjectStore implements ObjectStore {
  readonly contents = new Map<string, { bytes: Uint8Array; contentType: string }>();
  /** What each URL handed out for an upload allows. */
  readonly grants = new Map<string, Grant>();
  readonly downloads = new Map<string, { name: string; expiresMs: number }>();

  putUrl(name: string, options: { contentType: string; contentLength: number; expiresMs: number }): string {
    const url = `http://store.test/put/${this.grants.size}`;
    this.grants.set(url, { name, ...options });
    return url;
  }

  getUrl(name: string, { expiresMs }: { expiresMs: number }): string {
    const url = `http://store.test/get/${this.downloads.size}`;
    this.downloads.set(url, { name, expiresMs });
    return url;
  }

  has(name: string): boolean {
    return this.contents.has(name);
  }

  write(name: string, bytes: Uint8Array, options: { contentType: string }): void {
    this.contents.set(name, { bytes, contentType: options.contentType });
  }

  remove(name: string): void {
    this.contents.delete(name);
  }

  /** What a client's PUT to the URL does. */
  put(url: string, bytes: Uint8Array): void {
    const grant = this.grants.get(url);
    if (grant === undefined || grant.contentLength !== bytes.length) {
      throw new Error("The store refuses this PUT");
    }
    this.write(grant.name, bytes, grant);
  }
}
