/** Beside one's own picture while nobody else is there. */

import type { ReactNode } from "react";

import { Button } from "../ui/controls";
import { LinkIcon, RobotIcon } from "../ui/icons";
import type { Visit } from "../visit";
import { useInvite } from "./invite";
import { useRobot } from "./robot";

interface AloneProps {
  readonly visit: Visit;
  readonly width: number;
  readonly height: number;
}

export function Alone({ visit, width, height }: AloneProps): ReactNode {
  const invite = useInvite(visit);
  const addRobot = useRobot(visit);
  return (
    <section className="alone" style={{ width, minHeight: height }} aria-label="Nobody else is here">
      <h2>Nobody else is here yet</h2>
      <p>Send the invitation to somebody, or try the call with a robot.</p>
      <div className="alone-ways">
        <Button look="primary" onPress={() => void invite()}>
          <LinkIcon />
          Copy invitation
        </Button>
        <Button onPress={() => void addRobot()}>
          <RobotIcon />
          Add a robot
        </Button>
      </div>
    </section>
  );
}
