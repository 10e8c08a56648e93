/** Finds web addresses in a message. Only http and https become links; everything else stays text. */

export type Piece = { readonly text: string } | { readonly text: string; readonly href: string };

const ADDRESS = /\bhttps?:\/\/[^\s<>"']+/gi;
/** What ends a sentence belongs to the sentence. */
const TRAILING = /[.,;:!?…]+$/;

export function linkify(text: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = trim(match[0]);
    const href = safe(address);
    if (href === null) continue;
    if (match.index > end) pieces.push({ text: text.slice(end, match.index) });
    pieces.push({ text: address, href });
    end = match.index + address.length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end) });
  return pieces;
}

function trim(found: string): string {
  let address = found.replace(TRAILING, "");
  // A closing bracket belongs to the address only if that opened it: (see https://example.org/a_(b)).
  while (/[)\]}]$/.test(address) && !balanced(address)) address = address.slice(0, -1).replace(TRAILING, "");
  return address;
}

function balanced(address: string): boolean {
  const count = (characters: string): number => Array.from(address).filter((one) => characters.includes(one)).length;
  return count("([{") >= count(")]}");
}

function safe(address: string): string | null {
  if (!URL.canParse(address)) return null;
  const { protocol, href } = new URL(address);
  return protocol === "http:" || protocol === "https:" ? href : null;
}
