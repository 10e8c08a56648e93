/** The bar at the bottom. */

import type { ReactNode } from "react";

import { IconButton } from "../ui/controls";
import { useObserved } from "../ui/hooks";
import {
  CameraIcon,
  CameraOffIcon,
  ChatIcon,
  LeaveIcon,
  MicIcon,
  MicOffIcon,
  PeopleIcon,
  RobotIcon,
  ScreenIcon,
  StopScreenIcon,
} from "../ui/icons";
import type { Visit } from "../visit";
import type { Panel } from "./Call";
import { useRobot } from "./robot";
import { SHORTCUTS } from "./shortcuts";

interface ControlsProps {
  readonly visit: Visit;
  readonly panel: Panel | null;
  readonly unread: number;
  readonly onPanel: (panel: Panel) => void;
}

export function Controls({ visit, panel, unread, onPanel }: ControlsProps): ReactNode {
  const { room, capture } = visit;
  const hasMicrophone = useObserved(capture, "change", () => capture.isOn("microphone"));
  const hasCamera = useObserved(capture, "change", () => capture.isOn("camera"));
  const isSharing = useObserved(capture, "change", () => capture.isOn("screen"));
  const people = useObserved(room.roster, "change", () => room.roster.others.length + 1);
  const addRobot = useRobot(visit);

  return (
    <footer className="controls" aria-label="Call controls">
      <IconButton
        label={hasMicrophone ? "Turn microphone off" : "Turn microphone on"}
        shortcut={SHORTCUTS.microphone}
        icon={hasMicrophone ? <MicIcon /> : <MicOffIcon />}
        look="control"
        isWarning={!hasMicrophone}
        onPress={() => void capture.toggle("microphone")}
        testId="toggle-mic"
      />
      <IconButton
        label={hasCamera ? "Turn camera off" : "Turn camera on"}
        shortcut={SHORTCUTS.camera}
        icon={hasCamera ? <CameraIcon /> : <CameraOffIcon />}
        look="control"
        isWarning={!hasCamera}
        onPress={() => void capture.toggle("camera")}
        testId="toggle-camera"
      />
      <IconButton
        label={isSharing ? "Stop sharing your screen" : "Share your screen"}
        shortcut={SHORTCUTS.screen}
        icon={isSharing ? <StopScreenIcon /> : <ScreenIcon />}
        look="control"
        isOn={isSharing}
        onPress={() => void capture.toggle("screen")}
        testId="share-screen"
      />
      <span className="controls-gap" aria-hidden="true" />
      <IconButton
        label="Chat"
        shortcut={SHORTCUTS.chat}
        icon={<ChatIcon />}
        look="control"
        isOn={panel === "chat"}
        badge={unread === 0 ? null : unread > 99 ? "99+" : String(unread)}
        onPress={() => onPanel("chat")}
        testId="toggle-chat"
      />
      <IconButton
        label="People"
        shortcut={SHORTCUTS.people}
        icon={<PeopleIcon />}
        look="control"
        isOn={panel === "people"}
        badge={String(people)}
        onPress={() => onPanel("people")}
        testId="toggle-people"
      />
      <IconButton
        label="Add a robot"
        icon={<RobotIcon />}
        look="control"
        onPress={() => void addRobot()}
        testId="add-robot"
      />
      <span className="controls-gap" aria-hidden="true" />
      <IconButton label="Leave" icon={<LeaveIcon />} look="danger" onPress={() => void room.leave()} testId="leave" />
    </footer>
  );
}
