/** What a conversation is called, and what its newest line says. */

import type { Conversation, Message } from "@tertulia/client";

import { plainText } from "../text/plain";
import { visible, visibleName } from "../text/visible";

const PREVIEW_MAX = 120;

export function titleOf({ kind, title, other_name, other }: Conversation): string {
  return visibleName(kind === "direct" ? (other_name ?? other) : title);
}

/** Somebody's name as far as one's own conversations tell it; otherwise what they are known by. */
export function nameOfPerson(conversations: readonly Conversation[], user: string): string {
  for (const { other, other_name, last } of conversations) {
    if (other === user && other_name !== null) return other_name;
    if (last?.sender === user && last.sender_name !== null) return last.sender_name;
  }
  return user;
}

interface LineAsked {
  readonly kind: Conversation["kind"];
  readonly me: string | null;
  readonly blocked: readonly string[];
}

/** With two people it is plain who wrote what one did not write oneself. */
export function lineOf(message: Message | null, { kind, me, blocked }: LineAsked): string {
  if (message?.kind !== "message") return "";
  const who = message.sender === me ? "You: " : kind === "direct" ? "" : `${visibleName(message.sender_name)}: `;
  if (message.body === null) return `${who}deleted`;
  if (message.sender !== null && blocked.includes(message.sender)) return "Blocked";
  return who + plainText(visible(message.body.text)).slice(0, PREVIEW_MAX);
}

export function countText(count: number): string {
  return count > 99 ? "99+" : String(count);
}
