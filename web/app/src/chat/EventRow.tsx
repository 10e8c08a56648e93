/** Lines that nobody wrote: who came and went, what was set, calls. */

import type { Message } from "@tertulia/client";
import type { ReactNode } from "react";

import { Name } from "../text/Prose";
import { durationText, timeText } from "../text/time";

export function EventRow({ message, me }: { readonly message: Message; readonly me: string | null }): ReactNode {
  return (
    <p className="chat-event" data-testid="chat-event">
      <What message={message} me={me} /> <time dateTime={new Date(message.at).toISOString()}>{timeText(message.at)}</time>
    </p>
  );
}

function What({ message, me }: { readonly message: Message; readonly me: string | null }): ReactNode {
  const { kind, change, sender } = message;
  const who = sender !== null && sender === me ? "You" : <Name name={message.sender_name ?? sender} />;
  const whom = change?.user != null && change.user === me ? "you" : <Name name={change?.name ?? change?.user} />;
  switch (kind) {
    case "call-started":
      return <>{who} started a call</>;
    case "call-ended":
      return <>The call ended{change?.duration_ms == null ? "" : ` after ${durationText(change.duration_ms)}`}</>;
    case "settings":
      return <Settings message={message} who={who} />;
    case "member":
      switch (change?.action) {
        case "joined":
          return <>{who} joined</>;
        case "left":
          return <>{who} left</>;
        case "added":
          return (
            <>
              {who} added {whom}
            </>
          );
        case "removed":
          return (
            <>
              {who} removed {whom}
            </>
          );
        default:
          return (
            <>
              {who} made {whom} {change?.role === "owner" ? "an owner" : `a ${change?.role ?? "member"}`}
            </>
          );
      }
    default:
      return <>Something happened</>;
  }
}

function Settings({ message, who }: { readonly message: Message; readonly who: ReactNode }): ReactNode {
  const { change } = message;
  if (change?.title != null) {
    return (
      <>
        {who} named it <Name name={change.title} />
      </>
    );
  }
  if (change?.retention_s === 0) return <>{who} set messages to stay</>;
  if (change?.retention_s != null) {
    return (
      <>
        {who} set messages to disappear after {durationText(change.retention_s * 1000)}
      </>
    );
  }
  if (change?.about != null) return <>{who} changed the description</>;
  return <>{who} changed who sees the history</>;
}
