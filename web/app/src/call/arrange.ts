/** Who is on which page. */

/**
 * The order of people: as they came, except that somebody who speaks and is not on the first page changes places
 * with the one there who has been silent longest. Nobody else moves, so faces stay where one has learned to find them.
 *
 * @param before the order of last time
 * @param present who is there, in the order of their coming
 * @param lastSpoke when somebody was last heard; null for never
 */
export function arrange(
  before: readonly string[],
  present: readonly string[],
  speaking: ReadonlySet<string>,
  lastSpoke: (id: string) => number | null,
  firstPage: number,
): string[] {
  const here = new Set(present);
  const known = new Set(before);
  const order = [...before.filter((id) => here.has(id)), ...present.filter((id) => !known.has(id))];
  for (let index = firstPage; index < order.length; index += 1) {
    const id = order[index];
    if (id === undefined || !speaking.has(id)) continue;
    const place = quietest(order.slice(0, firstPage), speaking, lastSpoke);
    const other = place === null ? undefined : order[place];
    if (place === null || other === undefined) break;
    order[place] = id;
    order[index] = other;
  }
  return order;
}

function quietest(
  page: readonly string[],
  speaking: ReadonlySet<string>,
  lastSpoke: (id: string) => number | null,
): number | null {
  let found: { place: number; heard: number } | null = null;
  for (const [place, id] of page.entries()) {
    const heard = lastSpoke(id) ?? -Infinity;
    if (!speaking.has(id) && (found === null || heard < found.heard)) found = { place, heard };
  }
  return found?.place ?? null;
}

export function pageCount(people: number, perPage: number): number {
  return Math.max(1, Math.ceil(people / Math.max(1, perPage)));
}
