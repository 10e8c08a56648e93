/** The part of a text that was looked for, with the words that were found marked. Pure. */

export interface Piece {
  readonly text: string;
  readonly isHit: boolean;
}

const BEFORE = 60;
const LENGTH = 300;

/** @param words as they were typed; each is found at the beginning of a word */
export function excerpt(text: string, words: string): Piece[] {
  const wanted = [...new Set(words.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== ""))].map((word) => word.toLocaleLowerCase());
  if (wanted.length === 0) return [{ text: text.slice(0, LENGTH), isHit: false }];
  // Words have no spaces between them in some scripts: there, a hit may begin anywhere.
  const start = "(?<![\\p{L}\\p{N}])";
  const pattern = new RegExp(`(?:${start}|(?=[\\p{sc=Han}\\p{sc=Hira}\\p{sc=Kana}]))(?:${wanted.join("|")})`, "giu");
  const first = text.search(pattern);
  const from = first > BEFORE ? wordStart(text, first - BEFORE) : 0;
  const shown = text.slice(from, from + LENGTH);
  const pieces: Piece[] = [];
  let at = 0;
  for (const match of shown.matchAll(pattern)) {
    if (match.index > at) pieces.push({ text: shown.slice(at, match.index), isHit: false });
    pieces.push({ text: match[0], isHit: true });
    at = match.index + match[0].length;
  }
  if (at < shown.length) pieces.push({ text: shown.slice(at), isHit: false });
  return from === 0 ? pieces : [{ text: "…", isHit: false }, ...pieces];
}

function wordStart(text: string, at: number): number {
  const space = text.indexOf(" ", at);
  return space < 0 ? at : space + 1;
}
