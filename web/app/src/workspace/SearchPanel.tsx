/** Finds messages in all one's conversations, or in one of them, by words and by what they have. */

import type { Conversation, Failure, Message, Requests } from "@tertulia/client";
import type { Workspace } from "@tertulia/client/workspace";
import { useEffect, useRef, useState, type ReactNode } from "react";

import { conversationPath, navigate } from "../router";
import { failureText } from "../text/errors";
import { Button, IconButton, Select } from "../ui/controls";
import { CloseIcon } from "../ui/icons";
import { MessageLink } from "./MessageLink";
import { titleOf } from "./names";

interface SearchPanelProps {
  readonly workspace: Workspace;
  readonly within: Conversation | null;
  readonly onClose: () => void;
}

type Has = NonNullable<Requests["search"]["request"]["has"]>[number];
const HAS: readonly { readonly id: Has; readonly label: string }[] = [
  { id: "link", label: "a link" },
  { id: "mention", label: "a mention" },
  { id: "reaction", label: "a reaction" },
  { id: "pin", label: "a pin" },
  { id: "thread", label: "a thread" },
];
const WAIT_MS = 250;
const DAY_MS = 86_400_000;

interface Found {
  readonly messages: readonly Message[];
  readonly next: string | null;
}

export function SearchPanel({ workspace, within, onClose }: SearchPanelProps): ReactNode {
  const [query, setQuery] = useState("");
  const [where, setWhere] = useState<string>(within?.id ?? "all");
  const [from, setFrom] = useState("anybody");
  const [has, setHas] = useState("anything");
  const [after, setAfter] = useState("");
  const [before, setBefore] = useState("");
  const [people, setPeople] = useState<readonly { id: string; label: string }[]>([]);
  const [found, setFound] = useState<Found | null>(null);
  const [error, setError] = useState<Failure | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const conversations = workspace.list.snapshot.conversations;
  useEffect(() => field.current?.focus(), []);
  useEffect(() => {
    if (where === "all") return;
    void workspace.request("members", { conversation: where, limit: 100 }).then((list) => {
      if (list.ok) setPeople(list.value.members.map(({ id, name }) => ({ id, label: name })));
    });
  }, [workspace, where]);
  const isAsked = query.trim() !== "" || from !== "anybody" || has !== "anything" || after !== "" || before !== "";
  const asked: Requests["search"]["request"] = {
    query: query.trim(),
    conversation: where === "all" ? null : where,
    sender: from === "anybody" ? null : from,
    has: HAS.filter(({ id }) => id === has).map(({ id }) => id),
    after: after === "" ? null : new Date(`${after}T00:00`).getTime(),
    before: before === "" ? null : new Date(`${before}T00:00`).getTime() + DAY_MS,
  };
  const key = JSON.stringify(asked);
  useEffect(() => {
    if (!isAsked) return;
    let isCurrent = true;
    const timer = setTimeout(() => {
      void workspace.request("search", JSON.parse(key) as typeof asked).then((answer) => {
        if (!isCurrent) return;
        setError(answer.ok ? null : answer.error);
        if (answer.ok) setFound(answer.value);
      });
    }, WAIT_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [workspace, key, isAsked]);
  const more = async (): Promise<void> => {
    const answer = await workspace.request("search", { ...asked, cursor: found?.next ?? null });
    if (answer.ok && found !== null) setFound({ messages: [...found.messages, ...answer.value.messages], next: answer.value.next });
  };
  return (
    <main className="conversation search" aria-label="Search" data-testid="search">
      <h1 className="visually-hidden">Search</h1>
      <header className="conversation-header">
        <input
          ref={field}
          className="input"
          type="search"
          value={query}
          maxLength={200}
          onChange={(event) => setQuery(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") onClose();
          }}
          placeholder="Search messages"
          aria-label="Search messages"
          data-testid="search-input"
        />
        <IconButton label="Close search" icon={<CloseIcon />} onPress={onClose} testId="close-search" />
      </header>
      <div className="search-filters">
        <Select
          label="In"
          choices={[{ id: "all", label: "All conversations" }, ...conversations.map((one) => ({ id: one.id, label: titleOf(one) }))]}
          chosen={where}
          onChoose={(id) => {
            setWhere(id);
            setFrom("anybody");
          }}
          placeholder=""
        />
        {where !== "all" && (
          <Select label="From" choices={[{ id: "anybody", label: "Anybody" }, ...people]} chosen={from} onChoose={setFrom} placeholder="" />
        )}
        <Select label="With" choices={[{ id: "anything", label: "Anything" }, ...HAS]} chosen={has} onChoose={setHas} placeholder="" testId="search-has" />
        <label className="field">
          <span className="field-label">Since</span>
          <input className="input" type="date" value={after} onChange={(event) => setAfter(event.target.value)} />
        </label>
        <label className="field">
          <span className="field-label">Until</span>
          <input className="input" type="date" value={before} onChange={(event) => setBefore(event.target.value)} />
        </label>
      </div>
      <div className="panel-scroll" role="status" aria-live="polite">
        {error !== null && <p className="problem">{failureText(error)}</p>}
        {!isAsked && <p className="chat-note">Type a word, or choose what to look for.</p>}
        {isAsked && found?.messages.length === 0 && <p className="chat-note">Nothing was found. Try another word, or fewer of them.</p>}
        {isAsked && (
          <ul>
            {found?.messages.map((message) => (
              <li key={`${message.conversation} ${message.seq}`}>
                <MessageLink
                  message={message}
                  where={titleOfId(conversations, message.conversation)}
                  onChoose={() => {
                    onClose();
                    navigate(conversationPath(message.conversation, message.seq));
                  }}
                />
              </li>
            ))}
          </ul>
        )}
        {isAsked && found?.next != null && <Button onPress={() => void more()}>More</Button>}
      </div>
    </main>
  );
}

function titleOfId(conversations: readonly Conversation[], id: string): string {
  const found = conversations.find((one) => one.id === id);
  return found === undefined ? "" : titleOf(found);
}
