/** Names of files as the bytes they are: a string in which every character stands for one byte. */

import { Buffer } from "node:buffer";

/**
 * Bytes of a path or of a part of it, one character (U+0000 to U+00FF) for each byte, `/` between components.
 * File systems take any bytes, UTF-8 or not; as a string they compare, split and serve as a key cheaply.
 */
export type RawPath = string;

const longestCall = 8192;

/** The raw path made of these bytes. */
export function rawPathOfBytes(bytes: Uint8Array): RawPath {
  if (bytes.length <= longestCall) return Reflect.apply(String.fromCharCode, null, bytes);
  let path = "";
  for (let at = 0; at < bytes.length; at += longestCall) {
    path += rawPathOfBytes(bytes.subarray(at, at + longestCall));
  }
  return path;
}

/** The raw path of an ordinary string, in UTF-8. */
export function rawPathOfText(text: string): RawPath {
  return rawPathOfBytes(new TextEncoder().encode(text));
}

/** The raw path for a person: UTF-8 decoded, bytes that are none shown as U+FFFD. */
export function displayRawPath(path: RawPath): string {
  return Buffer.from(path, "latin1").toString("utf8");
}
