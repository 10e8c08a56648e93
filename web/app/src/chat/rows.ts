/** Turns a conversation's lines into the rows of a list: days, the line above what is new, messages, events, echoes. */

import type { ChatSnapshot, Echo, Message } from "@tertulia/client";

import { sameDay } from "../text/time";

export type Row =
  | { readonly kind: "begin"; readonly key: string }
  | { readonly kind: "day"; readonly key: string; readonly at: number }
  | { readonly kind: "new"; readonly key: string }
  | { readonly kind: "message"; readonly key: string; readonly message: Message; readonly isTogether: boolean }
  | { readonly kind: "event"; readonly key: string; readonly message: Message }
  | { readonly kind: "echo"; readonly key: string; readonly echo: Echo };

/** Messages of one person within this time stand together under one name. */
const TOGETHER_MS = 5 * 60_000;

interface Asked {
  readonly me: string | null;
  /** Where what is new began when the conversation was opened: above the first message of others after this number. */
  readonly readNo: number | null;
  /** Replies begin below the message that they answer: nothing need be said about it. */
  readonly isThread?: boolean;
}

export function rowsOf({ messages, echoes, older, isEmpty }: ChatSnapshot, { me, readNo, isThread = false }: Asked): Row[] {
  const rows: Row[] = [];
  if (!older && !isEmpty && !isThread) rows.push({ kind: "begin", key: "begin" });
  let previous: Message | null = null;
  let isMarked = readNo === null;
  for (const message of messages) {
    const isNewDay = previous === null || !sameDay(previous.at, message.at);
    if (isNewDay) rows.push({ kind: "day", key: `day ${message.seq}`, at: message.at });
    const isNew = !isMarked && message.no !== null && message.no > (readNo ?? 0) && message.sender !== me;
    if (isNew) {
      isMarked = true;
      rows.push({ kind: "new", key: "new" });
    }
    if (message.kind !== "message") {
      rows.push({ kind: "event", key: keyOf(message), message });
    } else {
      const isTogether =
        !isNewDay &&
        !isNew &&
        previous?.kind === "message" &&
        previous.sender === message.sender &&
        message.at - previous.at < TOGETHER_MS;
      rows.push({ kind: "message", key: keyOf(message), message, isTogether });
    }
    previous = message;
  }
  for (const echo of echoes) rows.push({ kind: "echo", key: `own ${echo.clientId}`, echo });
  return rows;
}

/** One's own message keeps its row when the echo becomes the logged message. */
function keyOf({ seq, client_id }: Message): string {
  return client_id === null ? `line ${seq}` : `own ${client_id}`;
}

/** Whether `rows` are `before` with others in front: a list then keeps its place from the end. */
export function isPrepended(before: readonly Row[], rows: readonly Row[]): boolean {
  const [first, firstBefore] = [firstLine(rows), firstLine(before)];
  return first !== null && firstBefore !== null && first < firstBefore && rows.at(-1)?.key === before.at(-1)?.key;
}

function firstLine(rows: readonly Row[]): number | null {
  for (const row of rows) if (row.kind === "message" || row.kind === "event") return row.message.seq;
  return null;
}
