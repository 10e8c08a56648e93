/** Under one's own newest message: who has it, and who has read it. */

import type { Conversation, ReaderList } from "@tertulia/client";
import type { Workspace } from "@tertulia/client/workspace";
import { useEffect, useState, type ReactNode } from "react";

import { nameOf, type Person, type Talk } from "../chat/talk";
import { visibleName } from "../text/visible";
import { useObserved } from "../ui/hooks";

interface ReceiptsProps {
  readonly workspace: Workspace;
  readonly conversation: Conversation;
  readonly people: readonly Person[];
  readonly talk: Talk;
}

/** In larger conversations nobody is told who has read (catalogue: `Readers`). */
const MEMBERS_MAX = 100;
const NAMES_MAX = 3;

export function Receipts({ workspace, conversation, people, talk }: ReceiptsProps): ReactNode {
  const { id, members } = conversation;
  const { chat, me } = talk;
  const newest = useObserved(chat, "change", () => chat.snapshot.messages.findLast(({ kind }) => kind === "message") ?? null);
  const seq = newest !== null && newest.sender === me && newest.body !== null ? newest.seq : null;
  const [found, setFound] = useState<{ seq: number; readers: ReaderList } | null>(null);
  useEffect(() => {
    if (seq === null || members > MEMBERS_MAX) return;
    let isCurrent = true;
    const ask = async (): Promise<void> => {
      const list = await workspace.request("readers", { conversation: id, seq });
      if (isCurrent && list.ok) setFound({ seq, readers: list.value });
    };
    void ask();
    const stop = workspace.on("receipt", (where) => {
      if (where === id) void ask();
    });
    return () => {
      isCurrent = false;
      stop();
    };
  }, [workspace, id, seq, members]);
  if (seq === null || found?.seq !== seq) return null;
  return (
    <p className="receipts" data-testid="receipts">
      {receiptText(conversation, found.readers, people, me)}
    </p>
  );
}

function receiptText({ kind, members }: Conversation, { read, delivered }: ReaderList, people: readonly Person[], me: string | null): string {
  const readers = read.filter((user) => user !== me);
  const got = delivered.filter((user) => user !== me);
  if (readers.length === 0) return got.length === 0 ? "Sent" : "Delivered";
  if (kind === "direct") return "Read";
  if (readers.length >= members - 1) return "Read by all";
  const names = readers.slice(0, NAMES_MAX).map((user) => visibleName(nameOf(people, user)));
  return `Read by ${names.join(", ")}${readers.length > NAMES_MAX ? ` and ${readers.length - NAMES_MAX} more` : ""}`;
}
