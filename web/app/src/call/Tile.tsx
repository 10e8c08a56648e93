/** One person: picture or initials, name, and what one needs to know about them. */

import { sends, type Participant, type Room } from "@tertulia/client";
import type { CSSProperties, ReactNode } from "react";

import { visibleName } from "../text/visible";
import { Avatar } from "../ui/Avatar";
import { useObserved } from "../ui/hooks";
import { MicOffIcon, RobotIcon } from "../ui/icons";
import { MyVideo } from "./MyVideo";
import { SignalMark } from "./SignalMark";
import { SlotVideo } from "./SlotVideo";
import { Undecodable } from "./Undecodable";

interface TileProps {
  readonly room: Room;
  readonly participant: Participant;
  readonly width: number;
  readonly height: number;
}

export function Tile({ room, participant, width, height }: TileProps): ReactNode {
  const { seats, speakers, roster, publisher } = room;
  const { id, kind, connected } = participant;
  const name = visibleName(participant.name);
  const isYou = roster.you?.id === id;
  const slot = useObserved(seats, "change", () => seats.showing(id, "camera"));
  const isSpeaking = useObserved(speakers, "change", () => speakers.speaking.has(id));
  const myCamera = useObserved(publisher, "change", () => !publisher.muted("camera"));
  const myMicrophone = useObserved(publisher, "change", () => !publisher.muted("microphone"));
  const hasSound = isYou ? myMicrophone : sends(participant, "microphone");
  const hasPicture = sends(participant, "camera");
  const label = `${name}${isYou ? " (you)" : ""}`;
  const style: CSSProperties = { width, height };

  return (
    <article
      className="tile"
      style={style}
      data-speaking={isSpeaking && hasSound}
      data-away={!connected}
      data-small={width < 220}
      data-testid="tile"
      aria-label={`${label}${hasSound ? "" : ", microphone off"}${connected ? "" : ", reconnecting"}`}
    >
      <Avatar name={name} id={id} />
      {isYou && myCamera && <MyVideo publisher={publisher} kind="camera" />}
      {!isYou && hasPicture && slot !== null && <SlotVideo key={slot.mid} seats={seats} slot={slot} />}
      {slot !== null && slot.unsupported && <Undecodable whose={`${name}'s picture`} />}
      {!connected && <p className="tile-away">Reconnecting…</p>}
      <p className="tile-name" aria-hidden="true">
        {!hasSound && <MicOffIcon />}
        {kind === "robot" && <RobotIcon />}
        <span>
          <bdi>{name}</bdi>
          {isYou && " (you)"}
        </span>
        {isYou && <SignalMark room={room} />}
      </p>
    </article>
  );
}
