/** How large tiles can be: pure geometry. */

export interface Grid {
  readonly columns: number;
  readonly rows: number;
  /** Of one tile, in CSS pixels. */
  readonly width: number;
  readonly height: number;
}

const RATIO = 16 / 9;

/** The number of columns that makes `count` tiles of 16:9 as large as they can be in an area. */
export function fitGrid(count: number, width: number, height: number, gap: number): Grid {
  let best: Grid = { columns: 1, rows: 1, width: 0, height: 0 };
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const roomX = (width - gap * (columns - 1)) / columns;
    const roomY = (height - gap * (rows - 1)) / rows;
    const tile = Math.floor(Math.max(0, Math.min(roomX, roomY * RATIO)));
    if (tile > best.width) best = { columns, rows, width: tile, height: Math.floor(tile / RATIO) };
  }
  return best;
}

export interface Area {
  readonly width: number;
  readonly height: number;
}

/** A shared screen with a strip of people beside or below it. */
export interface Focus {
  readonly side: "beside" | "below";
  readonly screen: Area;
  readonly tile: Area;
  /** How many tiles fit into the strip. */
  readonly count: number;
}

const LARGE_TILE: Area = { width: 208, height: 117 };
const SMALL_TILE: Area = { width: 112, height: 63 };
const SMALL_BELOW = 560;

/** Puts the strip where it leaves more of the area to a 16:9 screen. */
export function fitFocus(area: Area, gap: number): Focus {
  const tile = Math.min(area.width, area.height) < SMALL_BELOW && area.width < 900 ? SMALL_TILE : LARGE_TILE;
  const beside = { width: Math.max(0, area.width - tile.width - gap), height: area.height };
  const below = { width: area.width, height: Math.max(0, area.height - tile.height - gap) };
  const fits = (length: number, size: number): number => Math.max(1, Math.floor((length + gap) / (size + gap)));
  return pictureWidth(beside) > pictureWidth(below)
    ? { side: "beside", screen: beside, tile, count: fits(area.height, tile.height) }
    : { side: "below", screen: below, tile, count: fits(area.width, tile.width) };
}

function pictureWidth({ width, height }: Area): number {
  return Math.min(width, height * RATIO);
}
