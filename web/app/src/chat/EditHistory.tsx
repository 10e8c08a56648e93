/** "edited": what a message said before, the newest text first. */

import type { Failure, Message, Revision } from "@tertulia/client";
import { useEffect, useState, type ReactNode } from "react";
import { Button, Dialog, DialogTrigger, Heading, Popover } from "react-aria-components";

import { failureText } from "../text/errors";
import { Prose } from "../text/Prose";
import { dayText, timeText } from "../text/time";
import type { Talk } from "./talk";

export function EditHistory({ talk, message }: { readonly talk: Talk; readonly message: Message }): ReactNode {
  return (
    <DialogTrigger>
      <Button className="message-edited" aria-label="Edited: show what it said before" data-testid="chat-edited">
        edited
      </Button>
      <Popover className="popover" placement="bottom start">
        <Dialog className="edits" data-testid="edits">
          <Heading slot="title">Edits</Heading>
          <Revisions talk={talk} message={message} />
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

/** Asked for anew each time it is opened, and when the message is edited meanwhile. */
function Revisions({ talk: { request }, message }: { readonly talk: Talk; readonly message: Message }): ReactNode {
  const { conversation, seq, revision } = message;
  const [found, setFound] = useState<readonly Revision[] | null>(null);
  const [error, setError] = useState<Failure | null>(null);
  useEffect(() => {
    let isCurrent = true;
    void request("edits", { conversation, seq }).then((list) => {
      if (!isCurrent) return;
      if (list.ok) setFound(list.value.revisions);
      setError(list.ok ? null : list.error);
    });
    return () => {
      isCurrent = false;
    };
  }, [request, conversation, seq, revision]);
  if (error !== null) return <p className="problem">{failureText(error)}</p>;
  if (found === null) return <p className="chat-note">Loading…</p>;
  return (
    <ol className="edits-list">
      {[...found].reverse().map((one, index) => (
        <li key={one.seq} data-testid="edit">
          <p className="edits-when">
            {index === 0 ? "Now, since " : ""}
            <time dateTime={new Date(one.at).toISOString()}>
              {dayText(one.at)}, {timeText(one.at)}
            </time>
          </p>
          <Prose text={one.body.text} mentions="" />
        </li>
      ))}
    </ol>
  );
}
