// Made from tertulia/catalogue.py by `python -m tertulia.typescript`; do not edit.
// Times are milliseconds since 1970-01-01 UTC.
/* eslint-disable */

export const MESSAGE_TEXT_MAX = 4000;

export const MESSAGE_BYTES_MAX = 12000;

export const FRAME_BYTES_MAX = 16384;

export const CONTROL_CHANNEL_ID = 0;

export const CHAT_CHANNEL_ID = 1;

export type TrackKind = "microphone" | "camera" | "screen" | "screen-audio";

export type ParticipantKind = "person" | "robot" | "stream" | "viewer";

/**
 * Everything a client needs, in one acknowledgement.
 *
 * `chat` answers the position of the request, or holds a first page in `history` where there was none.
 */
export interface Joined {
  room: RoomInfo;
  you: Participant;
  participants: Participant[];
  grants: Grants;
  session: string | null;
  answer: string | null;
  slots: Slots | null;
  chat: Synced | null;
  history: HistoryPage | null;
  ice_servers: IceServer[];
}

export interface RoomInfo {
  id: string;
  name: string;
  conversation: string;
  created_at: number;
  participants: number;
}

/** One person's (or robot's, or stream's) presence in a room. */
export interface Participant {
  id: string;
  name: string;
  kind: ParticipantKind;
  joined_at: number;
  connected: boolean;
  tracks: Track[];
}

/** One thing a participant sends. `source` is the number that travels as CSRC in every packet of it. */
export interface Track {
  kind: TrackKind;
  source: number;
  muted: boolean;
}

/** What a token's holder may do in its room. */
export interface Grants {
  publish: boolean;
  subscribe: boolean;
  chat: boolean;
  moderate: boolean;
}

/** What a token's holder may do in its room. */
export interface GrantsInput {
  publish?: boolean;
  subscribe?: boolean;
  chat?: boolean;
  moderate?: boolean;
}

/** The slot map: all of it (`full`) or what changed since `rev - 1`. */
export interface Slots {
  rev: number;
  full: boolean;
  slots: Slot[];
}

/**
 * One receiving section and what it shows now.
 *
 * `source` is the CSRC of its packets. `from_ts` is the first RTP timestamp of that source in this slot:
 * absent while the switch waits for a key frame, and pictures before it belong to somebody else.
 */
export interface Slot {
  mid: string;
  kind: "audio" | "video";
  seat: number | null;
  participant: string | null;
  track: TrackKind | null;
  source: number | null;
  from_ts: number | null;
}

/**
 * What happened after a position: `events` (dense), `reset` (drop what you have, read history), `gone`.
 *
 * An answer is bounded by its door. With `more` the client applies what it got and asks on with `fill`.
 */
export interface Synced {
  conversation: string;
  status: "events" | "gone" | "reset";
  events: Event[];
  head: Position | null;
  more: boolean;
}

/** One entry of a conversation's log. `id` begins with the event's tag. */
export interface Event {
  conversation: string;
  seq: number;
  id: string;
  kind: "message" | "x";
  at: number;
  sender: string | null;
  sender_name: string | null;
  client_id: string | null;
  body: MessageBody | null;
}

export interface MessageBody {
  text: string;
}

/** Where a client stands: the last `seq` it applied and that event's tag (8 hex digits of its id). */
export interface Position {
  conversation: string;
  seq: number;
  tag: string | null;
}

/** Where a client stands: the last `seq` it applied and that event's tag (8 hex digits of its id). */
export interface PositionInput {
  conversation: string;
  seq: number;
  tag?: string | null;
}

/** Messages in rising `seq`; `head` is the newest position in the same snapshot. */
export interface HistoryPage {
  conversation: string;
  messages: Event[];
  more: boolean;
  head: Position;
}

export interface IceServer {
  urls: string[];
  username: string | null;
  credential: string | null;
}

export type Ok = Record<string, never>;

export interface IceRestarted {
  answer: string;
}

export interface Sent {
  event: Event;
}

export interface SyncAnswer {
  conversations: Synced[];
}

export interface ParticipantLeft {
  id: string;
  reason: string;
}

/** Who speaks now, loudest first. */
export interface Speakers {
  speakers: Speaker[];
}

export interface Speaker {
  participant: string;
  level: number;
}

/** State of the media session as the server sees it. */
export interface MediaState {
  state: "closed" | "connected" | "connecting" | "disconnected";
  reason: string | null;
}

/** New entries of one conversation, in rising `seq`. */
export interface Messages {
  conversation: string;
  events: Event[];
}

/**
 * Heart beat: the newest position of open conversations. A client that is behind asks with `fill`.
 *
 * As `lagged` it says that the client was too slow and that frames up to these positions were dropped.
 */
export interface Tips {
  heads: Position[];
}

/** The server ended this presence. `replaced`: the same identity joined elsewhere. */
export interface SessionEnded {
  code: "expired" | "removed" | "replaced" | "room-ended" | "shutdown";
  message: string;
}

/** `GET /rooms`. */
export interface RoomList {
  rooms: RoomInfo[];
}

/** What opens a room: present it when connecting to `/ws`, or as a bearer token over HTTP. */
export interface RoomToken {
  token: string;
  identity: string;
  name: string;
  expires_at: number;
}

/** `GET /rooms/{id}/participants`. */
export interface ParticipantList {
  participants: Participant[];
}

/** Why a request was refused. `code` is stable, `message` is for people. */
export interface ErrorBody {
  code: string;
  message: string;
  field: string | null;
}

/** Enter the token's room. With `session` and no `offer`: come back to a media session that still lives. */
export interface Join {
  room: string;
  offer?: string | null;
  session?: string | null;
  tracks?: TrackIntent[];
  view?: View;
  position?: PositionInput | null;
}

/** Names one of the offer's sending sections. */
export interface TrackIntent {
  mid: string;
  kind: TrackKind;
  muted?: boolean;
}

/** What a client wants in its seats, most wanted first. Empty: the room decides (newest screen, then people). */
export interface View {
  seats?: Want[];
}

/** One seat a client asks for: the participant's camera (with its microphone) or screen (with its sound). */
export interface Want {
  participant: string;
  track?: "camera" | "screen";
  width?: number;
  height?: number;
}

export type Leave = Record<string, never>;

/** A participant mutes or unmutes what it sends (`set-track`). */
export interface TrackMuted {
  kind: TrackKind;
  muted: boolean;
}

export interface IceRestart {
  offer: string;
}

/** `client_id` is made by the client; sending it again, over any door, answers with the same event. */
export interface SendMessage {
  conversation: string;
  client_id: string;
  body: MessageBody;
}

export interface History {
  conversation: string;
  before?: number | null;
  limit?: number;
}

export interface Sync {
  positions: PositionInput[];
}

/** Asks for what follows `after`: the answer to a gap, to `tips` ahead of the client, to `lagged`. */
export interface Fill {
  conversation: string;
  after: number;
}

export type AddRobot = Record<string, never>;

/** `POST /rooms`. */
export interface CreateRoom {
  name?: string;
}

/** `POST /rooms/{id}/tokens`. Guests choose their name only; the other fields need an API key. */
export interface MintToken {
  name: string;
  identity?: string | null;
  grants?: GrantsInput | null;
  ttl_s?: number | null;
}

/** Client to server, each answered. */
export interface Requests {
  join: { request: Join; answer: Joined };
  leave: { request: Leave; answer: Ok };
  view: { request: View; answer: Ok };
  "set-track": { request: TrackMuted; answer: Ok };
  "restart-ice": { request: IceRestart; answer: IceRestarted };
  "send-message": { request: SendMessage; answer: Sent };
  history: { request: History; answer: HistoryPage };
  sync: { request: Sync; answer: SyncAnswer };
  fill: { request: Fill; answer: Synced };
  "add-robot": { request: AddRobot; answer: Participant };
}

/** Server to client, never answered. */
export interface Notices {
  "participant-joined": Participant;
  "participant-updated": Participant;
  "participant-left": ParticipantLeft;
  slots: Slots;
  speakers: Speakers;
  "media-state": MediaState;
  message: Messages;
  tips: Tips;
  lagged: Tips;
  "session-ended": SessionEnded;
}

export type RequestName = keyof Requests;
export type NoticeName = keyof Notices;
export type ChannelName = "control" | "chat";

/** Which requests each data channel takes. */
export const CHANNEL_REQUESTS: Readonly<Record<ChannelName, readonly RequestName[]>> = {
  control: ["set-track", "view"],
  chat: ["fill", "history", "send-message", "sync"],
};

/** Which notices use a data channel while it is open, and the socket while it is not. */
export const CHANNEL_NOTICES: Readonly<Record<ChannelName, readonly NoticeName[]>> = {
  control: ["slots", "speakers"],
  chat: ["lagged", "message", "tips"],
};

/** Stable codes of errors; a newer server may know more. */
export type ErrorCode =
  | "api-key-invalid"
  | "bad-request"
  | "body-invalid"
  | "body-too-large"
  | "chat-not-granted"
  | "client-id-reused"
  | "content-type-unsupported"
  | "conversation-not-found"
  | "database-unavailable"
  | "event-unknown"
  | "forbidden"
  | "frame-invalid"
  | "frame-too-large"
  | "guests-disabled"
  | "ice-session-outdated"
  | "internal"
  | "media-missing"
  | "media-unavailable"
  | "method-not-allowed"
  | "moderate-not-granted"
  | "not-found"
  | "not-joined"
  | "offer-invalid"
  | "offer-missing-section"
  | "outcome-unknown"
  | "participant-not-found"
  | "publish-not-granted"
  | "rate-limited"
  | "robots-full"
  | "robots-unavailable"
  | "room-empty"
  | "room-ended"
  | "room-full"
  | "room-mismatch"
  | "room-not-found"
  | "session-not-found"
  | "subscribe-not-granted"
  | "text-blank"
  | "text-invalid"
  | "text-too-long"
  | "token-expired"
  | "token-invalid"
  | "token-missing"
  | "unauthorized";
