/** The room's name, how the connection is, and how to bring others in. */

import type { ReactNode } from "react";

import { useMedia, useObserved } from "../ui/hooks";
import { Button } from "../ui/controls";
import { LinkIcon, Mark } from "../ui/icons";
import type { Visit } from "../visit";
import { useInvite } from "./invite";
import { SignalMark } from "./SignalMark";
import { StatusChip } from "./StatusChip";

export function Header({ visit, name }: { readonly visit: Visit; readonly name: string }): ReactNode {
  const { publisher } = visit.room;
  const isSharing = useObserved(publisher, "change", () => !publisher.muted("screen"));
  const isNarrow = useMedia("(max-width: 560px)");
  const invite = useInvite(visit);
  return (
    <header className="call-header">
      <Mark />
      <h1 className="call-name" title={name}>
        <bdi>{name}</bdi>
      </h1>
      <StatusChip room={visit.room} />
      <SignalMark room={visit.room} />
      <span className="spacer" />
      {isSharing && !isNarrow && (
        <p className="sharing" role="status">
          You are sharing your screen
        </p>
      )}
      <Button onPress={() => void invite()} testId="copy-link">
        <LinkIcon />
        {isNarrow ? "Invite" : "Copy invitation"}
      </Button>
    </header>
  );
}
