/** Finds where a message is to be shown: in the conversation itself, or in the thread that it belongs to. */

import type { Talk } from "./talk";

export type Place = { readonly kind: "line" } | { readonly kind: "thread"; readonly root: number };

/** Null if there is no such message, or not for the asker. The conversation is loaded around it if it is a line of it. */
export async function locate({ chat, request }: Pick<Talk, "chat" | "request">, seq: number): Promise<Place | null> {
  const { conversation } = chat;
  if (chat.loaded(seq) === null && conversation !== null) {
    const found = await request("messages", { conversation, seqs: [seq] });
    const root = found.ok ? (found.value.messages[0]?.thread ?? null) : null;
    if (root !== null) return { kind: "thread", root };
  }
  return (await chat.find(seq)) ? { kind: "line" } : null;
}
