/** A shared screen. */

import type { Participant, Room } from "@tertulia/client";
import type { ReactNode } from "react";

import { Name } from "../text/Prose";
import { visibleName } from "../text/visible";
import { useObserved } from "../ui/hooks";
import { ScreenIcon } from "../ui/icons";
import { SlotVideo } from "./SlotVideo";
import { Undecodable } from "./Undecodable";

interface ScreenTileProps {
  readonly room: Room;
  readonly participant: Participant;
  readonly width: number;
  readonly height: number;
}

export function ScreenTile({ room, participant, width, height }: ScreenTileProps): ReactNode {
  const { seats } = room;
  const slot = useObserved(seats, "change", () => seats.showing(participant.id, "screen"));
  const label = `${visibleName(participant.name)}'s screen`;
  return (
    <article className="tile screen" style={{ width, height }} aria-label={label} data-testid="screen-tile">
      {slot?.unsupported !== true && <p className="screen-wait">{`Waiting for ${label}…`}</p>}
      {slot !== null && <SlotVideo key={slot.mid} seats={seats} slot={slot} />}
      {slot !== null && slot.unsupported && <Undecodable whose={label} />}
      <p className="tile-name" aria-hidden="true">
        <ScreenIcon />
        <span>
          <Name name={participant.name} />'s screen
        </span>
      </p>
    </article>
  );
}
