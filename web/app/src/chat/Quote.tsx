/** What a message answers: a line of it, which leads there. */

import type { Message } from "@tertulia/client";
import { useEffect, useState, type ReactNode } from "react";

import { Name } from "../text/Prose";
import { visible } from "../text/visible";
import { useObserved } from "../ui/hooks";
import type { Talk } from "./talk";

export function Quote({ talk, seq }: { readonly talk: Talk; readonly seq: number }): ReactNode {
  const { chat } = talk;
  const loaded = useObserved(chat, "change", () => chat.loaded(seq));
  const [asked, setAsked] = useState<Message | "gone" | null>(null);
  const conversation = chat.conversation;
  useEffect(() => {
    if (loaded !== null || asked !== null || conversation === null) return;
    let isCurrent = true;
    void talk.request("messages", { conversation, seqs: [seq] }).then((found) => {
      if (isCurrent && found.ok) setAsked(found.value.messages[0] ?? "gone");
    });
    return () => {
      isCurrent = false;
    };
  }, [talk, conversation, seq, loaded, asked]);
  const message = loaded ?? asked;
  if (message === "gone" || message?.body === null) return <p className="quote">The message is not there any more.</p>;
  return (
    <button type="button" className="quote" onClick={() => talk.onJump(seq)} data-testid="chat-quote">
      <span className="visually-hidden">In reply to </span>
      {message === null ? (
        "…"
      ) : (
        <>
          <strong>
            <Name name={message.sender_name ?? message.sender} />
          </strong>{" "}
          <bdi>{visible(message.body.text)}</bdi>
        </>
      )}
    </button>
  );
}
