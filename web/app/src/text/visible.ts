/**
 * Makes characters visible that change how text looks without being seen: direction overrides, zero-width and
 * control characters. What somebody wrote then shows as what it is, in names as well as in messages.
 */

/**
 * Controls except tab and line feed; soft hyphen, fillers and spaces without width; marks, embeddings, overrides and
 * isolates of direction (UAX #9); annotation characters; tags.
 */
const HIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/gu;
const JOINERS = new Set(["\u200c", "\u200d"]);
/** Emoji are joined by U+200D; Arabic, Indic and other scripts need both joiners to be spelled. */
const BEFORE_JOINER = /(?:[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f]|(?![\p{sc=Latn}\p{sc=Grek}\p{sc=Cyrl}\p{sc=Hani}\p{sc=Zinh}])[\p{L}\p{M}])$/u;
/** A flag of a region is a black flag followed by tags (UTS #51, ED-14a). */
const TAGS_OF_FLAG = /\u{1f3f4}[\u{e0020}-\u{e007e}]*$/u;
/** Long enough to hold the flag and its tags, as UTF-16. */
const LOOK_BACK = 18;

export function visible(text: string): string {
  return text.replace(HIDDEN, (character, offset: number) => {
    const before = text.slice(Math.max(0, offset - LOOK_BACK), offset);
    if (JOINERS.has(character) && BEFORE_JOINER.test(before)) return character;
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0xe0020 && code <= 0xe007f && TAGS_OF_FLAG.test(before)) return character;
    return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
  });
}

/** A name on one line; "Somebody" where nothing of it could be seen. */
export function visibleName(name: string | null | undefined): string {
  const shown = visible(name ?? "").replace(/\s+/gu, " ").trim();
  return shown === "" ? "Somebody" : shown;
}
