/** Times and names as people read them. */

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

export function timeText(at: number): string {
  return TIME.format(at);
}

export function dayText(at: number, now = Date.now()): string {
  if (sameDay(at, now)) return "Today";
  return sameDay(at, now - 86_400_000) ? "Yesterday" : DAY.format(at);
}

export function sameDay(a: number, b: number): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString();
}

/** One or two letters for a picture that is not there. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => Array.from(word ?? "")[0] ?? "");
  return letters.join("").toLocaleUpperCase();
}

/** The colour of sand: somebody without a name yet. */
const NAMELESS_HUE = 40;

/** A hue (0 to 359) that stays with a name. */
export function hueOf(text: string): number {
  if (text === "") return NAMELESS_HUE;
  let hash = 7;
  for (const character of text) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 360_007;
  return hash % 360;
}

const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;

/** A span in its largest unit: "3 hours". */
export function durationText(ms: number): string {
  const [unit, size] = UNITS.find(([, length]) => ms >= length) ?? ["second", 1_000];
  const count = Math.max(1, Math.round(ms / size));
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

const SHORT_DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

/** A moment in as few letters as it takes: the time of today, the day of others. */
export function shortText(at: number, now = Date.now()): string {
  return sameDay(at, now) ? timeText(at) : SHORT_DAY.format(at);
}

/** How long ago, roughly: "3 hours ago". */
export function agoText(at: number, now = Date.now()): string {
  const ms = Math.max(0, now - at);
  return ms < 60_000 ? "just now" : `${durationText(ms)} ago`;
}
