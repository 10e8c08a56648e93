/** Where messages are written: Enter sends, Shift+Enter begins a new line. */

import { MESSAGE_TEXT_MAX, type Chat } from "@tertulia/client";
import { useEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";

import { IconButton } from "../ui/controls";
import { SendIcon } from "../ui/icons";

/** How much room is left is said only when it becomes little. */
const NEAR_LIMIT = 200;

export function Composer({ chat, isFocused }: { readonly chat: Chat; readonly isFocused: boolean }): ReactNode {
  const [text, setText] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const isBlank = text.trim() === "";
  const left = MESSAGE_TEXT_MAX - text.length;
  useEffect(() => {
    if (isFocused) field.current?.focus();
  }, [isFocused]);

  const send = (): void => {
    if (isBlank) return;
    void chat.send(text.trim());
    setText("");
  };
  const pressed = (event: KeyboardEvent): void => {
    // While an input method composes, Enter chooses a word.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <div className="composer">
      <textarea
        ref={field}
        className="composer-text"
        rows={1}
        maxLength={MESSAGE_TEXT_MAX}
        placeholder="Write a message"
        aria-label="Write a message"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={pressed}
        data-testid="chat-input"
      />
      {left < NEAR_LIMIT && (
        <span className="composer-left" role="status">
          {left}
        </span>
      )}
      <IconButton label="Send" icon={<SendIcon />} onPress={send} isDisabled={isBlank} testId="chat-send" />
    </div>
  );
}
