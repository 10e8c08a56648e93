/** Names for what the generated catalogue holds, as the rest of the SDK uses it. */

import {
  CHANNEL_REQUESTS,
  CHAT_CHANNEL_ID,
  CONTROL_CHANNEL_ID,
  type ChannelName,
  type NoticeName,
  type Notices,
  type RequestName,
  type Requests,
  type Slot,
} from "./catalogue.js";

export type SlotKind = Slot["kind"];
export type RequestOf<Name extends RequestName> = Requests[Name]["request"];
export type AnswerOf<Name extends RequestName> = Requests[Name]["answer"];

/** One notice with its name, so that a `switch` narrows the payload. */
export type Notice = { [Name in NoticeName]: { readonly name: Name; readonly data: Notices[Name] } }[NoticeName];

/** Negotiated ids (RFC 8832 is not used): both sides know them without asking. */
export const CHANNEL_IDS: Readonly<Record<ChannelName, number>> = {
  control: CONTROL_CHANNEL_ID,
  chat: CHAT_CHANNEL_ID,
};

/** The data channel that takes a request; null for those that use the socket only. */
export function channelOf(request: RequestName): ChannelName | null {
  if (CHANNEL_REQUESTS.control.includes(request)) return "control";
  return CHANNEL_REQUESTS.chat.includes(request) ? "chat" : null;
}

/** An object with every name once, so that the compiler notices when the catalogue gets another. */
const NOTICES: Readonly<Record<NoticeName, true>> = {
  "participant-joined": true,
  "participant-updated": true,
  "participant-left": true,
  slots: true,
  layers: true,
  speakers: true,
  quality: true,
  "media-state": true,
  message: true,
  tips: true,
  lagged: true,
  receipt: true,
  gone: true,
  goaway: true,
  "somebody-typing": true,
  presence: true,
  "session-ended": true,
};

export function isNotice(name: string): name is NoticeName {
  return Object.hasOwn(NOTICES, name);
}
