import { describe, expect, it } from "vitest";

import { arrange, pageCount } from "../src/call/arrange";
import { fitFocus, fitGrid } from "../src/call/layout";

describe("fitGrid", () => {
  it.each([
    [1, 1600, 900, 1],
    [2, 1600, 900, 2],
    [2, 390, 700, 1],
    [3, 1600, 900, 2],
    [4, 1600, 900, 2],
    [5, 1600, 900, 3],
    [10, 1600, 900, 4],
    [10, 390, 700, 2],
  ])("puts %i tiles into %i×%i in %i columns", (count, width, height, columns) => {
    expect(fitGrid(count, width, height, 10).columns).toBe(columns);
  });

  it("never needs more than there is", () => {
    for (let count = 1; count <= 25; count += 1) {
      for (const [width, height] of [[1600, 900], [390, 700], [844, 250], [200, 200]] as const) {
        const grid = fitGrid(count, width, height, 10);
        expect(grid.columns * grid.width + (grid.columns - 1) * 10).toBeLessThanOrEqual(width);
        expect(grid.rows * grid.height + (grid.rows - 1) * 10).toBeLessThanOrEqual(height);
        expect(grid.columns * grid.rows).toBeGreaterThanOrEqual(count);
      }
    }
  });

  it("has no size in a window without one", () => {
    expect(fitGrid(3, 0, 0, 10)).toMatchObject({ width: 0, height: 0 });
  });
});

describe("fitFocus", () => {
  it.each([
    [1200, 600, "beside"],
    [608, 504, "below"],
    [374, 650, "below"],
    [830, 286, "beside"],
  ])("puts the strip of a %i×%i window %s the screen", (width, height, side) => {
    expect(fitFocus({ width, height }, 10).side).toBe(side);
  });
});

describe("arrange", () => {
  const silent = new Set<string>();
  const never = (): null => null;

  it("keeps the order of coming and closes gaps", () => {
    expect(arrange(["a", "b", "c"], ["a", "c", "d"], silent, never, 2)).toEqual(["a", "c", "d"]);
  });

  it("brings a speaker to the first page in place of whoever was silent longest", () => {
    const heard: Record<string, number> = { a: 50, b: 10, c: 90 };
    const order = arrange(["a", "b", "c", "d"], ["a", "b", "c", "d"], new Set(["d"]), (id) => heard[id] ?? null, 3);
    expect(order).toEqual(["a", "d", "c", "b"]);
  });

  it("moves nobody while the first page speaks", () => {
    const order = arrange(["a", "b", "c"], ["a", "b", "c"], new Set(["a", "b", "c"]), never, 2);
    expect(order).toEqual(["a", "b", "c"]);
  });

  it("moves nobody for a speaker who is on the first page", () => {
    expect(arrange(["a", "b", "c"], ["a", "b", "c"], new Set(["b"]), never, 2)).toEqual(["a", "b", "c"]);
  });
});

describe("pageCount", () => {
  it.each([[0, 9, 1], [9, 9, 1], [10, 9, 2], [5, 0, 5]])("is for %i people at %i a page: %i", (people, perPage, pages) => {
    expect(pageCount(people, perPage)).toBe(pages);
  });
});
