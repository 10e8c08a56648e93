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

/** How many tiles of a fixed size fit into a strip beside the stage. */
export function fitStrip(length: number, tile: number, gap: number): number {
  return Math.max(1, Math.floor((length + gap) / (tile + gap)));
}
