/** A directory for one test. */

/** Removed, with all it holds, at the end of the block that declares it with `using`. */
export class TemporaryDirectory {
  readonly path: string = Deno.makeTempDirSync({ prefix: "generic-worker-test-" });

  /** Absolute path of something in it. */
  at(name: string): string {
    return `${this.path}/${name}`;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}
