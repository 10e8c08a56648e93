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
  const href = safeAddress(address);
  return href === null || href.startsWith("mailto:") ? null : href;
}

const PROTOCOLS = new Set(["http:", "https:", "mailto:"]);

/** The address as a link may have it: http, https or mailto, without a name before the host; otherwise null. */
export function safeAddress(address: string): string | null {
  if (!URL.canParse(address)) return null;
  const { protocol, href, username, password } = new URL(address);
  // https://bank.example@elsewhere.example leads elsewhere: nobody needs that in a message.
  return PROTOCOLS.has(protocol) && username === "" && password === "" ? href : null;
}
