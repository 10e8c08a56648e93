/** Lays out people and screens, and tells the server what is on show and how large. */

import { sends, type Participant, type Room, type Want } from "@tertulia/client";
import { useEffect, useMemo, useState, type ReactNode } from "react";

import { IconButton } from "../ui/controls";
import { useMedia, useObserved, useSize } from "../ui/hooks";
import { NextIcon, PreviousIcon } from "../ui/icons";
import type { Visit } from "../visit";
import { pageCount } from "./arrange";
import { Alone } from "./Alone";
import { fitGrid, fitStrip, type Grid } from "./layout";
import { ScreenTile } from "./ScreenTile";
import { Tile } from "./Tile";

const GAP = 10;
const STRIP_TILE = { width: 208, height: 117 };
const PHONE_STRIP_TILE = { width: 128, height: 72 };

export function Stage({ visit }: { readonly visit: Visit }): ReactNode {
  const { room, plan, order } = visit;
  const [ref, size] = useSize();
  const isTall = useMedia("(max-aspect-ratio: 1/1), (max-width: 760px)");
  const others = useObserved(room.roster, "change", () => room.roster.others);
  const you = useObserved(room.roster, "change", () => room.roster.you);
  const pinned = useObserved(room.viewer, "pinned", () => room.viewer.pinned);
  const [page, setPage] = useState(0);

  const screens = useMemo(() => newestFirst(others.filter((one) => sends(one, "screen"))), [others]);
  const screen = screens[0] ?? null;
  const strip = useMemo(
    () => (screen === null ? null : stripOf(size.width, size.height, isTall)),
    [screen, size.width, size.height, isTall],
  );
  // On the first page one place is one's own.
  const perPage = Math.min(plan.seats - (screen === null ? 0 : 1), strip === null ? Infinity : Math.max(1, strip.count - 1));
  const people = useObserved(order, "change", () => order.people);
  useEffect(() => order.setFirstPage(perPage), [order, perPage]);
  const pages = pageCount(people.length, perPage);
  const current = Math.min(page, pages - 1);
  const shown = useMemo(() => {
    if (pinned !== null) return people.filter(({ id }) => pinned.seats?.some((seat) => seat.participant === id));
    return people.slice(current * perPage, (current + 1) * perPage);
  }, [people, pinned, current, perPage]);

  const tiles = [...(current === 0 && you !== null ? [you] : []), ...shown];
  const isAlone = others.length === 0;
  const cells = tiles.length + (isAlone ? 1 : 0);
  const grid: Grid =
    strip === null
      ? fitGrid(cells, size.width, size.height, GAP)
      : { columns: 1, rows: cells, width: strip.tile.width, height: strip.tile.height };
  useView(room, shown, screen, grid, strip?.stage ?? size);

  return (
    <div className="stage" ref={ref} data-layout={strip === null ? "grid" : isTall ? "below" : "beside"}>
      {screen !== null && strip !== null && (
        <ScreenTile room={room} participant={screen} width={strip.stage.width} height={strip.stage.height} />
      )}
      <div
        className={strip === null ? "grid" : "strip"}
        style={strip === null ? { width: grid.columns * grid.width + (grid.columns - 1) * GAP } : undefined}
      >
        {tiles.map((one) => (
          <Tile key={one.id} room={room} participant={one} width={grid.width} height={grid.height} />
        ))}
        {isAlone && <Alone visit={visit} width={grid.width} height={grid.height} />}
      </div>
      {pages > 1 && (
        <nav className="pager" aria-label="Pages of people">
          <IconButton label="Previous people" icon={<PreviousIcon />} isDisabled={current === 0} onPress={() => setPage(current - 1)} testId="page-previous" />
          <span aria-live="polite">{`${current + 1} of ${pages}`}</span>
          <IconButton label="More people" icon={<NextIcon />} isDisabled={current === pages - 1} onPress={() => setPage(current + 1)} testId="page-next" />
        </nav>
      )}
    </div>
  );
}

interface Strip {
  readonly stage: { readonly width: number; readonly height: number };
  readonly tile: { readonly width: number; readonly height: number };
  readonly count: number;
}

function stripOf(width: number, height: number, isTall: boolean): Strip {
  if (isTall) {
    const tile = PHONE_STRIP_TILE;
    const stage = { width, height: Math.max(0, height - tile.height - GAP) };
    return { stage, tile, count: fitStrip(width, tile.width, GAP) };
  }
  const tile = STRIP_TILE;
  const stage = { width: Math.max(0, width - tile.width - GAP), height };
  return { stage, tile, count: fitStrip(height, tile.height, GAP) };
}

/** A source's number rises with each new share. */
function newestFirst(sharers: readonly Participant[]): Participant[] {
  const source = (one: Participant): number => one.tracks.find(({ kind }) => kind === "screen")?.source ?? 0;
  return [...sharers].sort((a, b) => source(b) - source(a));
}

/** In device pixels, coarse enough that a window being dragged does not ask for a new size at every step. */
function pixels(length: number): number {
  return Math.min(4096, Math.ceil((length * devicePixelRatio) / 32) * 32);
}

function useView(
  room: Room,
  people: readonly Participant[],
  screen: Participant | null,
  grid: Grid,
  stage: { readonly width: number; readonly height: number },
): void {
  const [width, height] = [pixels(grid.width), pixels(grid.height)];
  const [stageWidth, stageHeight] = [pixels(stage.width), pixels(stage.height)];
  useEffect(() => {
    const seats: Want[] = people.map(({ id }) => ({ participant: id, track: "camera", width, height }));
    if (screen !== null) seats.unshift({ participant: screen.id, track: "screen", width: stageWidth, height: stageHeight });
    room.setView({ seats });
  }, [room, people, screen, width, height, stageWidth, stageHeight]);
}
