/** What a conversation is called, and what its newest line says. */

import type { Conversation, Message } from "@tertulia/client";

import { visible, visibleName } from "../text/visible";

export function titleOf({ kind, title, other_name, other }: Conversation): string {
  return visibleName(kind === "direct" ? (other_name ?? other) : title);
}

export function lineOf(message: Message | null, me: string | null): string {
  if (message === null) return "";
  const who = message.sender === me ? "You" : visibleName(message.sender_name);
  if (message.kind !== "message") return "";
  return message.body === null ? `${who}: deleted` : `${who}: ${visible(message.body.text).replace(/\s+/g, " ").slice(0, 120)}`;
}

export function countText(count: number): string {
  return count > 99 ? "99+" : String(count);
}
