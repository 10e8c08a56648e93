/** Finds messages in all one's conversations, or in one of them, by words and by what they have. */

import type { Conversation, Failure, Message, Person, Requests } from "@tertulia/client";
import type { Workspace } from "@tertulia/client/workspace";
import { useCallback, useEffect, useState, type ReactNode } from "react";

import { conversationPath, navigate } from "../router";
import { failureText } from "../text/errors";
import { visibleName } from "../text/visible";
import { Button, IconButton, Select } from "../ui/controls";
import { CloseIcon } from "../ui/icons";
import { MessageLink } from "./MessageLink";
import { titleOf } from "./names";
import { useFoundPeople } from "./PeoplePicker";
import { askedOf, HAS, NO_FILTERS, type Filters } from "./query";
import { SearchField } from "./SearchField";

interface SearchPanelProps {
  readonly workspace: Workspace;
  readonly within: Conversation | null;
  readonly onClose: () => void;
}

const WAIT_MS = 250;
const ALL = "all";
const ANY = "any";

export function SearchPanel({ workspace, within, onClose }: SearchPanelProps): ReactNode {
  const [text, setText] = useState("");
  const [filters, setFilters] = useState<Filters>({ ...NO_FILTERS, within: within?.id ?? null });
  const [typed, setTyped] = useState<string | null>(null);
  const set = useCallback((more: Partial<Filters>) => setFilters((before) => ({ ...before, ...more })), []);
  const members = useMembersOf(workspace, filters.within);
  const named = useFoundPeople(workspace, typed);
  const conversations = workspace.list.snapshot.conversations;
  const asked = askedOf(text, filters);
  const { found, error, more } = useSearch(workspace, asked);
  const people = members.some(({ id }) => id === filters.from?.id) || filters.from === null ? members : [filters.from, ...members];
  return (
    <main className="conversation search" aria-label="Search" data-testid="search">
      <h1 className="visually-hidden">Search</h1>
      <header className="conversation-header">
        <SearchField text={text} onText={setText} onFilter={set} known={{ people: named ?? members, conversations }} onPerson={setTyped} onClose={onClose} />
        <IconButton label="Close search" icon={<CloseIcon />} onPress={onClose} testId="close-search" />
      </header>
      <div className="search-filters">
        <Select
          label="In"
          choices={[{ id: ALL, label: "All conversations" }, ...conversations.map((one) => ({ id: one.id, label: titleOf(one) }))]}
          chosen={filters.within ?? ALL}
          onChoose={(id) => set({ within: id === ALL ? null : id })}
          placeholder=""
          testId="search-in"
        />
        <Select
          label="From"
          choices={[{ id: ANY, label: "Anybody" }, ...people.map(({ id, name }) => ({ id, label: visibleName(name) }))]}
          chosen={filters.from?.id ?? ANY}
          onChoose={(id) => set({ from: people.find((one) => one.id === id) ?? null })}
          placeholder=""
          testId="search-from"
        />
        <Select
          label="With"
          choices={[{ id: ANY, label: "Anything" }, ...HAS]}
          chosen={filters.has ?? ANY}
          onChoose={(id) => set({ has: HAS.find((one) => one.id === id)?.id ?? null })}
          placeholder=""
          testId="search-has"
        />
        <label className="field">
          <span className="field-label">Since</span>
          <input className="input" type="date" value={filters.after} onChange={(event) => set({ after: event.target.value })} data-testid="search-after" />
        </label>
        <label className="field">
          <span className="field-label">Until</span>
          <input className="input" type="date" value={filters.before} onChange={(event) => set({ before: event.target.value })} data-testid="search-before" />
        </label>
      </div>
      <div className="panel-scroll" role="status" aria-live="polite">
        {error !== null && <p className="problem">{failureText(error)}</p>}
        {asked === null && <p className="chat-note">Type a word, or choose what to look for.</p>}
        {asked !== null && found?.messages.length === 0 && <p className="chat-note">Nothing was found. Try another word, or fewer of them.</p>}
        {asked !== null && (
          <ul>
            {found?.messages.map((message) => (
              <li key={`${message.conversation} ${message.seq}`}>
                <MessageLink
                  message={message}
                  words={asked.query ?? ""}
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
        {asked !== null && found?.next != null && <Button onPress={() => void more()}>More</Button>}
      </div>
    </main>
  );
}

interface Found {
  readonly messages: readonly Message[];
  readonly next: string | null;
}

interface Search {
  readonly found: Found | null;
  readonly error: Failure | null;
  readonly more: () => Promise<void>;
}

/** Asks when nothing was typed for a moment; an answer that comes too late is dropped. */
function useSearch(workspace: Workspace, asked: Requests["search"]["request"] | null): Search {
  const [found, setFound] = useState<Found | null>(null);
  const [error, setError] = useState<Failure | null>(null);
  const key = JSON.stringify(asked);
  useEffect(() => {
    const request = JSON.parse(key) as typeof asked;
    if (request === null) return;
    let isCurrent = true;
    const timer = setTimeout(() => {
      void workspace.request("search", request).then((answer) => {
        if (!isCurrent) return;
        setError(answer.ok ? null : answer.error);
        if (answer.ok) setFound(answer.value);
      });
    }, WAIT_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [workspace, key]);
  const more = async (): Promise<void> => {
    if (asked === null || found === null) return;
    const answer = await workspace.request("search", { ...asked, cursor: found.next });
    if (answer.ok) setFound({ messages: [...found.messages, ...answer.value.messages], next: answer.value.next });
  };
  return { found, error, more };
}

const MEMBERS_MAX = 100;
const NOBODY: readonly Person[] = [];

function useMembersOf(workspace: Workspace, conversation: string | null): readonly Person[] {
  const [found, setFound] = useState<{ readonly of: string; readonly people: readonly Person[] } | null>(null);
  useEffect(() => {
    if (conversation === null) return;
    let isCurrent = true;
    void workspace.request("members", { conversation, limit: MEMBERS_MAX }).then((list) => {
      if (isCurrent && list.ok) setFound({ of: conversation, people: list.value.members });
    });
    return () => {
      isCurrent = false;
    };
  }, [workspace, conversation]);
  return found !== null && found.of === conversation ? found.people : NOBODY;
}

function titleOfId(conversations: readonly Conversation[], id: string): string {
  const found = conversations.find((one) => one.id === id);
  return found === undefined ? "" : titleOf(found);
}
