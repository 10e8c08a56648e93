/** Everybody in the room, those without a tile included. */

import { sends, type Participant } from "@tertulia/client";
import type { ReactNode } from "react";

import { Name } from "../text/Prose";
import { Avatar } from "../ui/Avatar";
import { Button } from "../ui/controls";
import { useObserved } from "../ui/hooks";
import { CameraOffIcon, LinkIcon, MicIcon, MicOffIcon, RobotIcon, ScreenIcon } from "../ui/icons";
import type { Visit } from "../visit";
import { useInvite } from "./invite";
import { PanelFrame } from "../ui/PanelFrame";
import { useRobot } from "./robot";

interface PeoplePanelProps {
  readonly visit: Visit;
  readonly onClose: () => void;
  readonly isSheet: boolean;
}

export function PeoplePanel({ visit, onClose, isSheet }: PeoplePanelProps): ReactNode {
  const { roster } = visit.room;
  const others = useObserved(roster, "change", () => roster.others);
  const you = useObserved(roster, "change", () => roster.you);
  const invite = useInvite(visit);
  const addRobot = useRobot(visit);
  const everybody = you === null ? others : [you, ...others];
  return (
    <PanelFrame title="People" testId="people" isSheet={isSheet} onClose={onClose}>
      <ul className="people">
        {everybody.map((one) => (
          <Person key={one.id} visit={visit} participant={one} isYou={one.id === you?.id} />
        ))}
      </ul>
      <div className="people-ways">
        <Button onPress={() => void invite()}>
          <LinkIcon />
          Copy invitation
        </Button>
        <Button onPress={() => void addRobot()}>
          <RobotIcon />
          Add a robot
        </Button>
      </div>
    </PanelFrame>
  );
}

const KINDS: Record<Participant["kind"], string | null> = { person: null, robot: "Robot", stream: "Stream", viewer: "Watching" };

interface PersonProps {
  readonly visit: Visit;
  readonly participant: Participant;
  readonly isYou: boolean;
}

function Person({ visit, participant, isYou }: PersonProps): ReactNode {
  const { speakers } = visit.room;
  const { id, name, kind, connected } = participant;
  const isSpeaking = useObserved(speakers, "change", () => speakers.speaking.has(id));
  const hasSound = sends(participant, "microphone");
  const remark = connected ? (isYou ? "You" : KINDS[kind]) : "Reconnecting…";
  const state = `${hasSound ? "microphone on" : "microphone off"}, ${sends(participant, "camera") ? "camera on" : "camera off"}`;
  return (
    <li className="person" data-speaking={isSpeaking && hasSound} data-testid="person">
      <Avatar name={name} id={id} />
      <span className="person-name">
        <Name name={name} />
        {remark !== null && <small>{remark}</small>}
      </span>
      <span className="visually-hidden">{state}</span>
      {sends(participant, "screen") && <ScreenIcon />}
      {kind !== "viewer" && !sends(participant, "camera") && <CameraOffIcon />}
      {kind !== "viewer" && (hasSound ? <MicIcon /> : <MicOffIcon />)}
    </li>
  );
}
