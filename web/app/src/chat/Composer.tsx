/** Where messages are written: Enter sends, Shift+Enter begins a new line, @ completes names, ↑ edits the last one. */

import { MESSAGE_TEXT_MAX, type Message, type MessageBody } from "@tertulia/client";
import { useEffect, useId, useImperativeHandle, useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode, type Ref } from "react";

import { Name } from "../text/Prose";
import { visible } from "../text/visible";
import { Button, IconButton } from "../ui/controls";
import { CloseIcon, SendIcon } from "../ui/icons";
import { bodyOf, completions, mentionAt, sameBody } from "./compose";
import type { Talk } from "./talk";

export interface ComposerHandle {
  focus(): void;
}

interface ComposerProps {
  readonly talk: Talk;
  readonly thread: number | null;
  readonly replyTo: Message | null;
  readonly editing: Message | null;
  /** No longer answering or editing. */
  readonly onCancel: () => void;
  /** Edit what one wrote last. */
  readonly onEditLast: () => void;
  readonly isFocused: boolean;
  readonly ref?: Ref<ComposerHandle>;
}

/** How much room is left is said only when it becomes little. */
const NEAR_LIMIT = 200;
const DRAFT_MS = 800;

export function Composer(props: ComposerProps): ReactNode {
  const { talk, thread, replyTo, editing, onCancel, onEditLast, isFocused, ref } = props;
  const { people, draft } = talk;
  const [text, setText] = useState(editing?.body?.text ?? draft?.text ?? "");
  const [caret, setCaret] = useState<number | null>(null);
  const [chosen, setChosen] = useState(0);
  const [isClosed, setClosed] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const listId = useId();
  useImperativeHandle(ref, () => ({ focus: () => field.current?.focus() }), []);
  useEffect(() => {
    if (isFocused || editing !== null || replyTo !== null) field.current?.focus();
  }, [isFocused, editing, replyTo]);

  const isBlank = text.trim() === "";
  const left = MESSAGE_TEXT_MAX - Array.from(text).length;
  const begun = isClosed ? null : mentionAt(text, caret);
  const names = begun === null ? [] : completions(people, talk.me, begun.query);
  const isCompleting = names.length > 0;

  const keepDraft = useDraft({ talk, isKept: editing === null && thread === null, text, setText, replyTo });
  const change = (next: string, at: number | null): void => {
    setText(next);
    setCaret(at);
    setChosen(0);
    setClosed(false);
    if (editing !== null) return;
    talk.onWriting(next.trim() !== "");
    keepDraft(next);
  };
  const send = (): void => {
    if (isBlank || left < 0) return;
    const body = bodyOf(text, people, { thread, replyTo: editing === null ? (replyTo?.seq ?? null) : (editing.body?.reply_to ?? null) });
    if (editing === null) {
      talk.chat.send(body);
      talk.onWriting(false);
      keepDraft("");
    } else if (!sameBody(body, editing.body)) {
      talk.chat.edit(editing, { ...body, thread: editing.thread });
    }
    setText("");
    onCancel();
  };
  const complete = (name: string): void => {
    if (begun === null) return;
    const next = `${text.slice(0, begun.start)}@${name} ${text.slice(begun.end)}`;
    change(next, begun.start + name.length + 2);
    setClosed(true);
  };
  // A completion moves the caret behind what it wrote.
  useLayoutEffect(() => {
    if (caret !== null && field.current !== null && document.activeElement === field.current) {
      field.current.setSelectionRange(caret, caret);
    }
    // Only when a completion closed the list; typing moves the caret by itself.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [isClosed]);

  const pressed = (event: KeyboardEvent): void => {
    // While an input method composes, Enter chooses a word.
    if (event.nativeEvent.isComposing) return;
    if (isCompleting && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      setChosen((chosen + (event.key === "ArrowDown" ? 1 : names.length - 1)) % names.length);
    } else if (isCompleting && (event.key === "Tab" || (event.key === "Enter" && names[chosen]?.name !== begun?.query))) {
      event.preventDefault();
      complete(names[chosen]?.name ?? "");
    } else if (isCompleting && event.key === "Escape") {
      event.stopPropagation();
      setClosed(true);
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape" && (editing !== null || replyTo !== null)) {
      event.stopPropagation();
      setText(editing === null ? text : "");
      onCancel();
    } else if (event.key === "ArrowUp" && text === "") {
      event.preventDefault();
      onEditLast();
    }
  };
  if (talk.silence !== null) return <p className="composer-silence">{talk.silence}</p>;
  return (
    <div className="composer-frame">
      {isCompleting && (
        <div className="completions" id={listId} role="listbox" aria-label="People to mention">
          {names.map((person, index) => (
            // The field keeps the focus and the keyboard; the list is for the pointer.
            // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus
            <div
              key={person.id}
              id={`${listId}-${index}`}
              role="option"
              aria-selected={index === chosen}
              className="completion"
              onPointerDown={(event) => event.preventDefault()}
              onClick={() => complete(person.name)}
              data-testid="mention-option"
            >
              <Name name={person.name} />
            </div>
          ))}
        </div>
      )}
      {(replyTo !== null || editing !== null) && (
        <div className="composer-about" data-testid="composer-about">
          <p>
            {editing === null ? (
              <>
                Reply to <Name name={replyTo?.sender_name} />: <bdi>{visible(replyTo?.body?.text ?? "")}</bdi>
              </>
            ) : (
              "Edit your message"
            )}
          </p>
          <IconButton
            label="Cancel"
            icon={<CloseIcon />}
            onPress={() => {
              if (editing !== null) setText("");
              onCancel();
            }}
          />
        </div>
      )}
      <div className="composer">
        <textarea
          ref={field}
          className="composer-text"
          rows={1}
          placeholder={thread === null ? "Write a message" : "Reply in this thread"}
          aria-label={editing === null ? (thread === null ? "Write a message" : "Reply in this thread") : "Edit your message"}
          aria-autocomplete="list"
          aria-controls={isCompleting ? listId : undefined}
          aria-activedescendant={isCompleting ? `${listId}-${chosen}` : undefined}
          dir="auto"
          value={text}
          onChange={(event) => change(event.target.value, event.target.selectionStart)}
          onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
          onBlur={() => keepDraft(text, true)}
          onKeyDown={pressed}
          data-testid={thread === null ? "chat-input" : "thread-input"}
        />
        {left < NEAR_LIMIT && (
          <span className="composer-left" role="status" data-over={left < 0}>
            {left}
          </span>
        )}
        {editing !== null && (
          <Button look="primary" onPress={send} isDisabled={isBlank || left < 0} testId="chat-save">
            Save
          </Button>
        )}
        {editing === null && (
          <IconButton label="Send" icon={<SendIcon />} onPress={send} isDisabled={isBlank || left < 0} testId="chat-send" />
        )}
      </div>
    </div>
  );
}

interface DraftAsked {
  readonly talk: Talk;
  readonly isKept: boolean;
  readonly text: string;
  readonly setText: (text: string) => void;
  readonly replyTo: Message | null;
}

/** Keeps what is being written, and shows what another device has written meanwhile if nothing is written here. */
function useDraft({ talk, isKept, text, setText, replyTo }: DraftAsked): (text: string, isNow?: boolean) => void {
  const { draft, onDraft } = talk;
  const timer = useRef<number | undefined>(undefined);
  const [known, setKnown] = useState<MessageBody | null>(draft);
  if (isKept && draft !== known) {
    if (text === (known?.text ?? "")) setText(draft?.text ?? "");
    setKnown(draft);
  }
  useEffect(() => () => clearTimeout(timer.current), []);
  return (next, isNow = false) => {
    if (!isKept) return;
    clearTimeout(timer.current);
    const keep = (): void => {
      if (next === (draft?.text ?? "")) return;
      onDraft(next.trim() === "" ? null : { text: next.slice(0, MESSAGE_TEXT_MAX), ...(replyTo === null ? {} : { reply_to: replyTo.seq }) });
    };
    if (isNow || next === "") keep();
    else timer.current = setTimeout(keep, DRAFT_MS);
  };
}
