/** What the chat's components need of the place they are shown in: a call's panel, or a page of the workspace. */

import type { Chat, Member, Message, MessageBody, Requests, Result } from "@tertulia/client";

export interface Person {
  readonly id: string;
  readonly name: string;
}

export interface Talk {
  readonly chat: Chat;
  readonly me: string | null;
  /** These are the replies to a message. */
  readonly isThread: boolean;
  /** May delete others' messages and pin. */
  readonly canModerate: boolean;
  readonly canPin: boolean;
  /** Why nothing can be written here; null if it can. */
  readonly silence: string | null;
  /** Who can be mentioned, and whose names are known. */
  readonly people: readonly Person[];
  /** Where one was reading; null where that is not kept. */
  readonly place: { get(): number | null; keep(seq: number | null): void } | null;
  /** Whose messages are folded away. */
  readonly blocked: readonly string[];
  /** Messages above this number are new; null where nothing is marked. */
  readonly readNo: number | null;
  /** A link that leads to a message; null where there are none. */
  readonly link: (message: Message) => string | null;
  /** What was begun to be written here earlier, or on another device. */
  readonly draft: MessageBody | null;
  readonly onDraft: (body: MessageBody | null) => void;
  readonly onWriting: (isWriting: boolean) => void;
  /** May delete a message for oneself. */
  readonly canHide: boolean;
  /** Absent where nothing counts what is unread. */
  readonly onMarkUnread?: (message: Message) => Promise<Result<unknown>>;
  /** Opens a message's thread; absent where threads are not shown beside the chat. */
  readonly onThread?: (message: Message) => void;
  /** Takes the reader to a message. */
  readonly onJump: (seq: number) => void;
  readonly request: <Name extends keyof Requests>(
    name: Name,
    data: Requests[Name]["request"],
  ) => Promise<Result<Requests[Name]["answer"]>>;
}

export function nameOf(people: readonly Person[], id: string | null): string | null {
  return people.find((person) => person.id === id)?.name ?? null;
}

export function personOf({ id, name }: Member): Person {
  return { id, name };
}
