/** Lays out people and screens, and tells the server what is on show and how large. */

import { sends, type Participant, type Room, type Want } from "@tertulia/client";
import { useEffect, useMemo, useState, type ReactNode } from "react";

import { IconButton } from "../ui/controls";
import { useObserved, useSize, type Size } from "../ui/hooks";
import { NextIcon, PreviousIcon } from "../ui/icons";
import type { Visit } from "../visit";
import { pageCount } from "./arrange";
import { Alone } from "./Alone";
import { fitFocus, fitGrid } from "./layout";
import { ScreenTile } from "./ScreenTile";
import { Tile } from "./Tile";

const GAP = 10;
const PAGER_HEIGHT = 42;

export function Stage({ visit }: { readonly visit: Visit }): ReactNode {
  const { room, plan, order } = visit;
  const [ref, whole] = useSize();
  const others = useObserved(room.roster, "change", () => room.roster.others);
  const you = useObserved(room.roster, "change", () => room.roster.you);
  const pinned = useObserved(room.viewer, "pinned", () => room.viewer.pinned);
  const [page, setPage] = useState(0);

  const screens = useMemo(() => newestFirst(others.filter((one) => sends(one, "screen"))), [others]);
  const screen = screens[0] ?? null;
  const people = useObserved(order, "change", () => order.people);
  // The pager takes room only where it is needed, and whether it is depends on the room there is without it.
  const places = (area: Size): number => {
    const strip = screen === null ? Infinity : fitFocus(area, GAP).count;
    // On the first page one place is one's own.
    return Math.max(1, Math.min(plan.seats - screens.length, strip - 1));
  };
  const hasPager = people.length > places(whole);
  const size = hasPager ? { ...whole, height: Math.max(0, whole.height - PAGER_HEIGHT) } : whole;
  const perPage = places(size);
  const focus = screen === null ? null : fitFocus(size, GAP);
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
  const grid = fitGrid(cells, size.width, size.height, GAP);
  const tile = focus === null ? grid : focus.tile;
  useView(room, shown, screen, tile, focus?.screen ?? size);

  return (
    <div className="stage" ref={ref}>
      <div className="stage-area" data-layout={focus?.side ?? "grid"}>
        {screen !== null && focus !== null && <ScreenTile room={room} participant={screen} {...focus.screen} />}
        <div
          className={focus === null ? "grid" : "strip"}
          style={focus === null ? { width: grid.columns * grid.width + (grid.columns - 1) * GAP } : undefined}
        >
          {tiles.map((one) => (
            <Tile key={one.id} room={room} participant={one} width={tile.width} height={tile.height} />
          ))}
          {isAlone && <Alone visit={visit} width={tile.width} height={tile.height} />}
        </div>
      </div>
      {hasPager && <Pager page={current} pages={pages} onPage={setPage} />}
    </div>
  );
}

interface PagerProps {
  readonly page: number;
  readonly pages: number;
  readonly onPage: (page: number) => void;
}

function Pager({ page, pages, onPage }: PagerProps): ReactNode {
  return (
    <nav className="pager" aria-label="Pages of people">
      <IconButton
        label="Previous people"
        icon={<PreviousIcon />}
        isDisabled={page === 0}
        onPress={() => onPage(page - 1)}
        testId="page-previous"
      />
      <span aria-live="polite">{`${page + 1} of ${pages}`}</span>
      <IconButton
        label="More people"
        icon={<NextIcon />}
        isDisabled={page === pages - 1}
        onPress={() => onPage(page + 1)}
        testId="page-next"
      />
    </nav>
  );
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
  tile: Size,
  stage: Size,
): void {
  const [width, height] = [pixels(tile.width), pixels(tile.height)];
  const [stageWidth, stageHeight] = [pixels(stage.width), pixels(stage.height)];
  useEffect(() => {
    const seats: Want[] = people.map(({ id }) => ({ participant: id, track: "camera", width, height }));
    if (screen !== null) seats.unshift({ participant: screen.id, track: "screen", width: stageWidth, height: stageHeight });
    room.setView({ seats });
  }, [room, people, screen, width, height, stageWidth, stageHeight]);
}
