/** One conversation: head, messages, field; and beside it a thread, the members or what is pinned. */

import type { Conversation, Member, Message } from "@tertulia/client";
import type { Workspace } from "@tertulia/client/workspace";
import { useCallback, useEffect, useMemo, useState, type ReactNode } from "react";

import { ChatView } from "../chat/ChatView";
import { locate } from "../chat/locate";
import { Places } from "../chat/places";
import { ThreadPanel } from "../chat/ThreadPanel";
import type { Person, Talk } from "../chat/talk";
import { conversationPath, navigate, pathOf } from "../router";
import { visibleName } from "../text/visible";
import { useAnnouncer } from "../ui/announce";
import { IconButton } from "../ui/controls";
import { useObserved } from "../ui/hooks";
import { CameraIcon, PeopleIcon, PinIcon, PreviousIcon } from "../ui/icons";
import { presenceText, usePresence, useShown } from "../ui/presence";
import { DetailsPanel } from "./DetailsPanel";
import { titleOf } from "./names";
import { OfflineNote } from "./OfflineNote";
import { PinsPanel } from "./PinsPanel";
import { Receipts } from "./Receipts";
import { KindIcon } from "./Sidebar";

interface ConversationPageProps {
  readonly workspace: Workspace;
  readonly conversation: Conversation;
  /** The message that the address names. */
  readonly seq: number | null;
  readonly isNarrow: boolean;
}

type Side =
  | { readonly kind: "details" | "pins" }
  | { readonly kind: "thread"; readonly seq: number; readonly target: { readonly seq: number } | null };

export function ConversationPage({ workspace, conversation, seq, isNarrow }: ConversationPageProps): ReactNode {
  const { id } = conversation;
  const chat = useMemo(() => workspace.chat(id), [workspace, id]);
  const announcer = useAnnouncer();
  const [side, setSide] = useState<Side | null>(() => keptThread(id));
  const [target, setTarget] = useState<{ seq: number } | null>(null);
  const [people, reload] = useMembers(workspace, conversation);
  const jump = useCallback(
    (to: number) => {
      void locate({ chat, request: (name, data) => workspace.request(name, data) }, to).then((place) => {
        if (place === null) announcer.warn("That message is not there any more.");
        else if (place.kind === "line") setTarget({ seq: to });
        else setSide({ kind: "thread", seq: place.root, target: { seq: to } });
      });
    },
    [workspace, chat, announcer],
  );
  useEffect(() => {
    if (seq !== null) jump(seq);
  }, [seq, jump]);
  const onThread = useCallback((message: Message) => setSide({ kind: "thread", seq: message.thread ?? message.seq, target: null }), []);
  const talk = useTalk({ workspace, conversation, people, onJump: jump, onThread });
  const thread = side?.kind === "thread" ? side.seq : null;
  useEffect(() => places.keep(id, { thread }), [id, thread]);
  const seen = useCallback((to: number) => workspace.marker.read(id, to), [workspace, id]);
  const toggle = (kind: "details" | "pins"): void => setSide(side?.kind === kind ? null : { kind });
  const close = useCallback(() => setSide(null), []);
  useShown(people.map((one) => one.id));
  const presence = usePresence(conversation.other);
  const typing = useObserved(workspace.typing, "change", () => workspace.typing.names(id));
  // A page that shows little else than the panel would hide what one reads.
  const showsChat = !isNarrow || side === null;

  return (
    <>
      {showsChat && (
        <main className="conversation" aria-label={titleOf(conversation)} data-testid="conversation-page">
          <header className="conversation-header">
            {isNarrow && <IconButton label="All conversations" icon={<PreviousIcon />} onPress={() => navigate("/c")} testId="back" />}
            <KindIcon conversation={conversation} />
            <div className="conversation-words">
              <h1>
                <bdi>{titleOf(conversation)}</bdi>
              </h1>
              <p>
                {typing.length > 0 ? (
                  <span data-testid="typing">{typingText(typing)}</span>
                ) : (
                  <>
                    {presence !== null && (
                      <span role="status" data-testid="presence-text">
                        {presenceText(presence)}
                      </span>
                    )}
                    {aboutText(conversation)}
                  </>
                )}
              </p>
            </div>
            {conversation.room !== null && (
              <IconButton label="Go to the call" icon={<CameraIcon />} onPress={() => navigate(pathOf(conversation.room ?? ""))} />
            )}
            <IconButton label="Pinned messages" icon={<PinIcon />} isOn={side?.kind === "pins"} onPress={() => toggle("pins")} testId="open-pins" />
            <IconButton label="Members and settings" icon={<PeopleIcon />} isOn={side?.kind === "details"} onPress={() => toggle("details")} testId="open-details" />
          </header>
          {isNarrow && <OfflineNote workspace={workspace} />}
          <ChatView talk={talk} target={target} onSeen={seen} isFocused={!isNarrow} empty={emptyText(conversation)}>
            <Receipts workspace={workspace} conversation={conversation} people={people} talk={talk} />
          </ChatView>
        </main>
      )}
      {side?.kind === "thread" && <ThreadPanel key={side.seq} talk={talk} seq={side.seq} target={side.target} onClose={close} isSheet={isNarrow} />}
      {side?.kind === "pins" && <PinsPanel talk={talk} onClose={close} isSheet={isNarrow} />}
      {side?.kind === "details" && (
        <DetailsPanel workspace={workspace} conversation={conversation} people={people} onChanged={reload} onClose={close} isSheet={isNarrow} />
      )}
    </>
  );
}

const places = new Places(sessionStorage);

function keptThread(id: string): Side | null {
  const { thread } = places.get(id);
  return thread === null ? null : { kind: "thread", seq: thread, target: null };
}

function aboutText({ kind, members, about, retention_s }: Conversation): string {
  const count = kind === "direct" ? "" : members === 1 ? "1 member" : `${members} members`;
  return [count, retention_s > 0 ? "Messages disappear" : "", visibleAbout(about)].filter((part) => part !== "").join(" · ");
}

function visibleAbout(about: string): string {
  return about === "" ? "" : visibleName(about);
}

function emptyText(conversation: Conversation): string {
  return conversation.kind === "direct" ? `Say hello to ${titleOf(conversation)}.` : "Nothing has been written yet.";
}

function typingText(names: readonly string[]): string {
  const shown = names.map(visibleName);
  if (shown.length > 3) return `${shown.length} people are writing…`;
  return `${shown.join(", ")} ${shown.length === 1 ? "is" : "are"} writing…`;
}

/** As many as a mention's completion and names need; of larger conversations those that come first. */
const MEMBERS_MAX = 100;

function useMembers(workspace: Workspace, { id, members }: Conversation): [readonly Member[], () => void] {
  const [found, setFound] = useState<readonly Member[]>([]);
  const [round, setRound] = useState(0);
  useEffect(() => {
    let isCurrent = true;
    void workspace.request("members", { conversation: id, limit: MEMBERS_MAX }).then((list) => {
      if (isCurrent && list.ok) setFound(list.value.members);
    });
    return () => {
      isCurrent = false;
    };
  }, [workspace, id, members, round]);
  return [found, useCallback(() => setRound((before) => before + 1), [])];
}

/** Null if there is nothing new: what comes while one looks is not marked. */
function newAfter({ unread, unread_from, read_no }: Conversation): number | null {
  if (unread_from > 0) return unread_from - 1;
  return unread > 0 ? read_no : null;
}

interface TalkAsked {
  readonly workspace: Workspace;
  readonly conversation: Conversation;
  readonly people: readonly Person[];
  readonly onJump: (seq: number) => void;
  readonly onThread: (message: Message) => void;
}

function useTalk({ workspace, conversation, people, onJump, onThread }: TalkAsked): Talk {
  const { id, role, kind, other, draft } = conversation;
  const me = workspace.snapshot.me?.id ?? null;
  const blocked = useObserved(workspace, "change", () => workspace.snapshot.me?.blocked ?? NOBODY);
  const place = useMemo(() => ({ get: () => places.get(id).seq, keep: (seq: number | null) => places.keep(id, { seq }) }), [id]);
  // Where what is new begins stays where it was when the conversation was opened.
  const [readNo] = useState(() => newAfter(conversation));
  return useMemo<Talk>(() => {
    const isModerator = role === "owner" || role === "moderator";
    return {
      chat: workspace.chat(id),
      me,
      canModerate: isModerator && kind !== "direct",
      canPin: isModerator || kind === "direct" || kind === "group",
      isThread: false,
      canHide: true,
      silence: silenceOf({ kind, role, other }, blocked),
      people,
      blocked,
      place,
      readNo,
      link: ({ seq }) => `${location.origin}${conversationPath(id, seq)}`,
      draft,
      onDraft: (body) => void workspace.request("set-draft", { conversation: id, client_id: workspace.makeId(), body }),
      onWriting: (isWriting) => workspace.typing.write(id, isWriting),
      onMarkUnread: async ({ seq }) => {
        workspace.marker.forget(id);
        const marks = await workspace.request("mark-unread", { conversation: id, seq });
        if (marks.ok) workspace.list.handleMarks(marks.value);
        return marks;
      },
      onThread,
      onJump,
      request: (name, data) => workspace.request(name, data),
    };
  }, [workspace, id, role, kind, other, me, people, blocked, place, readNo, draft, onJump, onThread]);
}

const NOBODY: readonly string[] = [];

function silenceOf({ kind, role, other }: Pick<Conversation, "kind" | "role" | "other">, blocked: readonly string[]): string | null {
  if (kind === "announcement" && role !== "owner" && role !== "moderator") return "Only moderators write here.";
  if (other !== null && blocked.includes(other)) return "You have blocked this person. Unblock them to write: in the menu beside their name.";
  return null;
}

