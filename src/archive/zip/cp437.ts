/** The character set of zip names that are marked as nothing else. */

import { type RawPath, rawPathOfText } from "../../base/raw_path.ts";

const upperHalf = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐" +
  "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";

/** The UTF-8 form of a name in code page 437. */
export function rawPathOfCp437(name: RawPath): RawPath {
  let text = "";
  for (let at = 0; at < name.length; at++) {
    const byte = name.charCodeAt(at);
    text += byte < 0x80 ? String.fromCharCode(byte) : upperHalf.charAt(byte - 0x80);
  }
  return rawPathOfText(text);
}
