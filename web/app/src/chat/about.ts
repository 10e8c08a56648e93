/** What the field is about to write: something new, an answer to a message, or another text for one of one's own. */

import type { ChatSnapshot, Message } from "@tertulia/client";
import { useCallback, useState } from "react";

export interface About {
  /** Another key begins another text: editing starts from the message's, and what was being written comes back after. */
  readonly key: string;
  readonly replyTo: Message | null;
  readonly editing: Message | null;
  readonly reply: (seq: number) => void;
  readonly edit: (seq: number) => void;
  readonly editLast: () => void;
  readonly cancel: () => void;
}

export function useAbout({ messages }: ChatSnapshot, me: string | null): About {
  const [about, setAbout] = useState<{ readonly kind: "reply" | "edit"; readonly seq: number } | null>(null);
  const reply = useCallback((seq: number) => setAbout({ kind: "reply", seq }), []);
  const edit = useCallback((seq: number) => setAbout({ kind: "edit", seq }), []);
  const named = about === null ? null : (messages.find(({ seq, body }) => seq === about.seq && body !== null) ?? null);
  return {
    key: about?.kind === "edit" ? `edit ${about.seq}` : "write",
    replyTo: about?.kind === "reply" ? named : null,
    editing: about?.kind === "edit" ? named : null,
    reply,
    edit,
    editLast: () => {
      const mine = messages.findLast(({ sender, body, kind }) => kind === "message" && sender === me && body !== null);
      if (mine !== undefined) edit(mine.seq);
    },
    cancel: () => setAbout(null),
  };
}
