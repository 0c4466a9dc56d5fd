/** One block of memory that holds all texts of a `posix_spawn` call and the pointer lists to them. */

const pointerBytes = 8;

/** The block and where its parts begin, in a form the C library takes. Valid while the object is alive. */
export interface SpawnArena {
  readonly argv: Uint8Array<ArrayBuffer>;
  readonly envp: Uint8Array<ArrayBuffer>;
}

/** Lays out both lists. The texts must not contain NUL. */
export function layOut(argv: readonly string[], envp: readonly string[]): SpawnArena {
  const encoder = new TextEncoder();
  const texts = [...argv, ...envp].map((text) => encoder.encode(`${text}\0`));
  const tableBytes = (texts.length + 2) * pointerBytes;
  const sizeBytes = texts.reduce((sum, text) => sum + text.length, tableBytes);
  // An explicit buffer lies outside the collected heap, so its address stays the same.
  const block = new Uint8Array(new ArrayBuffer(Math.max(sizeBytes, 128)));
  const table = new DataView(block.buffer);
  const base = Deno.UnsafePointer.value(Deno.UnsafePointer.of(block));
  let offset = tableBytes;
  texts.forEach((text, index) => {
    block.set(text, offset);
    // The list of arguments ends in a null pointer, after which the environment's begins.
    const slot = index < argv.length ? index : index + 1;
    table.setBigUint64(slot * pointerBytes, base + BigInt(offset), true);
    offset += text.length;
  });
  return { argv: block, envp: block.subarray((argv.length + 1) * pointerBytes) };
}
