// Made from tertulia/catalogue.py by `python -m tertulia.typescript`; do not edit.
// Times are milliseconds since 1970-01-01 UTC.
/* eslint-disable */

export const MESSAGE_TEXT_MAX = 4000;

export const MESSAGE_BYTES_MAX = 12000;

export const FRAME_BYTES_MAX = 16384;

export const CONTROL_CHANNEL_ID = 0;

export const CHAT_CHANNEL_ID = 1;

export type TrackKind = "microphone" | "camera" | "screen" | "screen-audio";

export type VideoCodec = "vp8" | "h264" | "vp9" | "av1";

export type ParticipantKind = "person" | "robot" | "stream" | "viewer";

export type EventKind = "message" | "edit" | "delete" | "reaction" | "pin" | "unpin" | "member" | "settings" | "call-started" | "call-ended" | "self" | "x";

export type ConversationKind = "room" | "direct" | "group" | "public" | "private" | "announcement" | "self";

export type MadeKind = "group" | "public" | "private" | "announcement";

export type Role = "owner" | "moderator" | "member" | "guest";

export type AccountRole = "owner" | "admin" | "member" | "guest";

export type ChosenStatus = "online" | "away" | "dnd" | "invisible";

export type ShownStatus = "online" | "away" | "dnd" | "invisible" | "offline";

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

/** `video_codec` is what cameras should send where they can; it decides how a client divides its picture. */
export interface RoomInfo {
  id: string;
  name: string;
  conversation: string;
  created_at: number;
  participants: number;
  video_codec: VideoCodec;
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
 * absent while the switch waits for a key frame, and pictures before it belong to somebody else. `unsupported` says
 * that this client cannot decode what the source sends: there will be no picture until that changes,
 * `paused` that its network carries no layer of it at the moment.
 */
export interface Slot {
  mid: string;
  kind: "audio" | "video";
  seat: number | null;
  participant: string | null;
  track: TrackKind | null;
  source: number | null;
  from_ts: number | null;
  unsupported: boolean;
  paused: boolean;
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

/**
 * One entry of a conversation's log, the same for everybody. `id` begins with the event's tag.
 *
 * `target` is the `seq` of the message it changes. `no` counts the messages of the conversation's main line.
 * Of kind `x` is what is not to be seen any more, or never was for the asker: it only keeps the numbers dense.
 */
export interface Event {
  conversation: string;
  seq: number;
  id: string;
  kind: EventKind;
  at: number;
  sender: string | null;
  sender_name: string | null;
  client_id: string | null;
  body: MessageBody | null;
  target: number | null;
  change: Change | null;
  no: number | null;
  expires_at: number | null;
}

/**
 * What somebody wrote: text in Markdown, whom it names, what it answers (`reply_to`), whose thread it is in.
 *
 * `mentions` are told of it; `everybody` tells all members. `thread` is the `seq` of the thread's first
 * message.
 */
export interface MessageBody {
  text: string;
  mentions?: string[];
  everybody?: boolean;
  reply_to?: number | null;
  thread?: number | null;
}

/**
 * What an event that is no message changes; which fields are there depends on the event's kind.
 *
 * - `reaction`: `action` (added, removed), `emoji`, `count` of that emoji afterwards
 * - `member`: `action`, `user`, `name`, `role`, `count` of members afterwards
 * - `settings`: those of `title`, `about`, `retention_s`, `history_from_join` that were set
 * - `call-ended`: `duration_ms`
 * - `self` (in a person's own log): `action`, `conversation` and what is now kept of it
 */
export interface Change {
  action?: "added" | "joined" | "left" | "removed" | "role" | "arranged" | "blocked" | "conversation-added" | "conversation-removed" | "conversation-role" | "draft" | "hidden" | "marks" | "preferences" | "unblocked" | null;
  emoji?: string | null;
  count?: number | null;
  user?: string | null;
  name?: string | null;
  role?: Role | null;
  title?: string | null;
  about?: string | null;
  retention_s?: number | null;
  history_from_join?: boolean | null;
  duration_ms?: number | null;
  conversation?: string | null;
  seq?: number | null;
  delivered_no?: number | null;
  read_no?: number | null;
  unread_from?: number | null;
  muted_until?: number | null;
  archived?: boolean | null;
  pinned?: boolean | null;
  draft?: MessageBody | null;
  preferences?: Record<string, string> | null;
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

/**
 * Messages in rising `seq`; `head` is the newest position in the same snapshot.
 *
 * `more`: there are others in the direction asked for (older ones, or with `after` newer ones). `newer`: there
 * may be newer ones than the last.
 */
export interface HistoryPage {
  conversation: string;
  messages: Message[];
  more: boolean;
  head: Position;
  newer: boolean;
}

/**
 * A message as it is now. An event with `seq` above `version` that names it as `target` changes it further.
 *
 * `revision` is the event that made its body (itself, or the last edit). `mine` are the asker's own reactions,
 * `thread` is the first message of the thread it is in. Of a deleted message `body` is null.
 */
export interface Message {
  conversation: string;
  seq: number;
  id: string;
  kind: EventKind;
  at: number;
  sender: string | null;
  sender_name: string | null;
  client_id: string | null;
  body: MessageBody | null;
  target: number | null;
  change: Change | null;
  no: number | null;
  expires_at: number | null;
  version: number;
  revision: number;
  thread: number | null;
  edited_at: number | null;
  deleted_at: number | null;
  pinned_at: number | null;
  reactions: ReactionCount[];
  mine: string[];
  reply_count: number;
  last_reply_at: number | null;
}

export interface ReactionCount {
  emoji: string;
  count: number;
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

/** The event that a change has become. */
export interface Sent {
  event: Event;
}

/** In rising `seq`; what is gone or not for the asker is left out. */
export interface MessageList {
  messages: Message[];
}

/** All bodies a message has had, the oldest first. */
export interface EditList {
  revisions: Revision[];
}

export interface Revision {
  seq: number;
  at: number;
  body: MessageBody;
}

/** Who reacted, by emoji and time. */
export interface ReactionList {
  reactions: Reactor[];
  next: string | null;
}

export interface Reactor {
  emoji: string;
  user: string;
  name: string;
  at: number;
}

export interface ConversationList {
  conversations: Conversation[];
  next: string | null;
}

/**
 * A conversation as its asker sees it.
 *
 * `role` is null where the asker may join and has not. `other` is the other one of a `direct` conversation.
 * `unread` and `mentions` count at most 100, which is shown as 99+. `last` is its newest message.
 */
export interface Conversation {
  id: string;
  kind: ConversationKind;
  title: string;
  about: string;
  room: string | null;
  other: string | null;
  other_name: string | null;
  role: Role | null;
  members: number;
  retention_s: number;
  history_from_join: boolean;
  created_at: number;
  head: Position | null;
  last: Message | null;
  last_at: number;
  last_no: number;
  unread: number;
  mentions: number;
  delivered_no: number;
  read_no: number;
  unread_from: number;
  muted_until: number;
  archived: boolean;
  pinned: boolean;
  draft: MessageBody | null;
}

export interface MemberList {
  members: Member[];
  next: string | null;
}

export interface Member {
  id: string;
  name: string;
  role: Role;
  joined_at: number;
}

export interface PersonList {
  people: Person[];
  next: string | null;
}

export interface Person {
  id: string;
  name: string;
}

/** `token` belongs into a link; whoever has it may come in until then. */
export interface Invite {
  token: string;
  conversation: string;
  expires_at: number;
  uses: number;
}

/** Where the asker stands in a conversation. `unread` and `mentions` count at most 100. */
export interface Marks {
  conversation: string;
  delivered_no: number;
  read_no: number;
  unread_from: number;
  unread: number;
  mentions: number;
}

/** `unread` is the sum; like each count it stops at 100. */
export interface UnreadList {
  conversations: Marks[];
  unread: number;
  mentions: number;
}

export interface ReaderList {
  read: string[];
  delivered: string[];
}

/** Who the asker is and what is kept for them; `self` is the head of their own log. */
export interface Me {
  id: string;
  name: string;
  self: Position | null;
  preferences: Record<string, string>;
  blocked: string[];
}

export interface Found {
  messages: Message[];
  next: string | null;
}

export interface SyncAnswer {
  conversations: Synced[];
}

/** As an answer everybody who may be watched, as a notice those who changed. */
export interface PresenceList {
  people: PersonPresence[];
}

/**
 * Somebody is here with one device or more, or `offline` and was `last_seen` then.
 *
 * Of oneself it is what one has chosen, as long as one is here: only there is `invisible` said.
 */
export interface PersonPresence {
  id: string;
  status: ShownStatus;
  text: string;
  last_seen: number | null;
}

export interface ParticipantLeft {
  id: string;
  reason: string;
}

/**
 * How much of a track of this client somebody wants now; the rest need not be sent until it is told otherwise.
 *
 * `rids`: the wanted encodings of a track with simulcast. A track without is `wanted` or not.
 */
export interface Layers {
  track: TrackKind;
  wanted: boolean;
  rids: string[];
}

/** Who speaks now, loudest first. */
export interface Speakers {
  speakers: Speaker[];
}

export interface Speaker {
  participant: string;
  level: number;
}

/**
 * How good this client's own connection has been for some seconds, as the server counts it; told when it changes.
 *
 * `score`: 5 excellent, 4 good, 3 fair, 2 poor, 1 bad. The shares of packets that stayed lost are between 0 and 1.
 */
export interface Quality {
  score: number;
  up_loss: number;
  down_loss: number;
  round_trip_ms: number | null;
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

/** Somebody's marks moved; only in conversations of up to 100 members. */
export interface Receipt {
  conversation: string;
  user: string;
  delivered_no: number;
  read_no: number;
}

/** The client may not read this conversation any more; nothing of it follows. */
export interface Gone {
  conversation: string;
}

/** Somebody writes, or stopped; without another word it counts for 6 seconds. */
export interface SomebodyTyping {
  conversation: string;
  user: string;
  name: string;
  typing: boolean;
}

/**
 * The server ended this presence. `replaced`: the same identity joined elsewhere. `logged-out`: the session
 * ended, or the account changed: what the token allowed is to be asked for anew.
 */
export interface SessionEnded {
  code: "expired" | "logged-out" | "removed" | "replaced" | "room-ended" | "shutdown";
  message: string;
}

/** The server is about to stop. The client comes back after `after_ms`, each after another, to any server. */
export interface GoAway {
  after_ms: number;
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
  video_codec: VideoCodec;
}

/** `GET /rooms/{id}/participants`. */
export interface ParticipantList {
  participants: Participant[];
}

/** A token that opens the person's conversations, over every door. */
export interface LoggedIn {
  token: string;
  identity: string;
  name: string;
  expires_at: number;
}

/**
 * A session. Programs get `token` and `refresh_token`; browsers get cookies, and `csrf` for what they change.
 *
 * Each refresh token is good for one refresh; one that is used again ends the session.
 */
export interface SessionTokens {
  session: string;
  expires_at: number;
  account: Account;
  token: string | null;
  refresh_token: string | null;
  csrf: string | null;
}

/** An account as its owner and administrators see it. `id` is also its identity in conversations and rooms. */
export interface Account {
  id: string;
  name: string;
  email: string;
  role: AccountRole;
  state: "active" | "banned";
  status_text: string;
  two_factor: boolean;
  has_password: boolean;
  created_at: number;
}

/** The session, or the ticket for the second factor that is still needed. */
export interface LoggedInAs {
  session: SessionTokens | null;
  ticket: string | null;
}

/** `csrf`: for browsers, what a page sends as `X-CSRF-Token` with whatever changes something. */
export interface Myself {
  account: Account;
  session: string;
  csrf: string | null;
}

export type Accepted = Record<string, never>;

export interface SessionList {
  sessions: SessionInfo[];
}

/** One of one's own sessions. `agent` is what the program called itself. */
export interface SessionInfo {
  id: string;
  agent: string;
  browser: boolean;
  created_at: number;
  used_at: number;
  current: boolean;
}

/** For an authenticator; `uri` is what a QR code holds. It counts once a code of it was confirmed. */
export interface TotpSecret {
  secret: string;
  uri: string;
}

/** Each is good once, in the place of the authenticator's code. Shown now and never again. */
export interface RecoveryCodes {
  codes: string[];
}

/** An account as other people see it. */
export interface Profile {
  id: string;
  name: string;
  status_text: string;
}

/** A page of them, and where the next one begins. */
export interface AccountList {
  accounts: Account[];
  cursor: string | null;
}

/** A link that was made; its secret is kept nowhere. */
export interface Link {
  url: string;
  token: string;
  expires_at: number;
}

export interface AuditList {
  entries: AuditEntry[];
  cursor: string | null;
}

/** Something an administrator did, or that concerns everybody's safety. */
export interface AuditEntry {
  at: number;
  action: string;
  actor: string | null;
  subject: string | null;
  detail: string;
}

export interface Outbox {
  mails: OutboxMail[];
}

/** A mail that was not sent, on a development server without a mail server. */
export interface OutboxMail {
  to: string;
  subject: string;
  text: string;
}

/** Names for `GET /auth/oauth/{provider}`, where a page sends the browser to log in. */
export interface OAuthProviders {
  providers: string[];
}

export interface OAuthBegun {
  url: string;
}

/**
 * How people come in here: what a page offers to somebody whom it does not know.
 *
 * `owner`: whether the installation has its first owner. `mail`: whether links reach people by mail; with
 * `outbox` they are shown by the server instead. `development`: whether `POST /auth/dev` lets anybody in.
 */
export interface AuthOptions {
  registration: "closed" | "domain" | "invitation" | "open";
  owner: boolean;
  mail: boolean;
  outbox: boolean;
  development: boolean;
}

/** A link as whoever holds it may see it. An `invite` without `email` leads to `POST /auth/register` first. */
export interface LinkInfo {
  purpose: "invite" | "owner" | "register" | "reset";
  email: string | null;
  role: AccountRole | null;
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

/**
 * What a client wants in its seats, most wanted first. Empty: the room decides (newest screen, then people).
 *
 * With sizes, it is also what the client shows: no video is sent of anybody else it knew of, and no larger pictures
 * than fill their places.
 */
export interface View {
  seats?: Want[];
}

/** One seat a client asks for: the participant's camera (with its microphone) or screen (with its sound). */
export interface Want {
  participant: string;
  track?: "camera" | "screen";
  width?: number;
  height?: number;
  priority?: number;
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

export type AddRobot = Record<string, never>;

/** `client_id` is made by the client; sending it again, over any door, answers with the same event. */
export interface SendMessage {
  conversation: string;
  client_id: string;
  body: MessageBody;
}

/** Replaces the body of one's own message. With `revision` it is refused when somebody edited it meanwhile. */
export interface EditMessage {
  conversation: string;
  client_id: string;
  seq: number;
  body: MessageBody;
  revision?: number | null;
}

/** Deletes a message for everybody: one's own, or as a moderator any. */
export interface DeleteMessage {
  conversation: string;
  client_id: string;
  seq: number;
}

/** Deletes a message for the asker only. */
export interface HideMessage {
  conversation: string;
  client_id: string;
  seq: number;
}

/** Adds a reaction, or with `remove` takes one's own away. */
export interface React {
  conversation: string;
  client_id: string;
  seq: number;
  emoji: string;
  remove?: boolean;
}

export interface PinMessage {
  conversation: string;
  client_id: string;
  seq: number;
  pinned?: boolean;
}

/**
 * A page of messages: the newest, those `before` or `after` a `seq`, or those `around` one (a permalink).
 *
 * With `thread` the page is of that thread, without its first message.
 */
export interface History {
  conversation: string;
  before?: number | null;
  limit?: number;
  after?: number | null;
  around?: number | null;
  thread?: number | null;
}

/** Single messages by number: what a reply quotes, a thread's first one. */
export interface GetMessages {
  conversation: string;
  seqs: number[];
}

export interface Edits {
  conversation: string;
  seq: number;
}

export interface Reactions {
  conversation: string;
  seq: number;
  emoji?: string | null;
  cursor?: string | null;
  limit?: number;
}

export interface Pins {
  conversation: string;
}

/** One's own conversations, the one with the newest event first. */
export interface Conversations {
  cursor?: string | null;
  limit?: number;
  archived?: boolean | null;
}

export interface GetConversation {
  conversation: string;
}

/** A group (to 1,000 members) or a channel (to 100,000). In an `announcement` channel only moderators write. */
export interface CreateConversation {
  client_id: string;
  kind: MadeKind;
  title: string;
  about?: string;
  members?: string[];
  history_from_join?: boolean;
  retention_s?: number;
}

/** The one-to-one conversation with somebody, which is made if there is none. */
export interface OpenDirect {
  user: string;
}

/** Sets what is given. */
export interface UpdateConversation {
  conversation: string;
  client_id: string;
  title?: string | null;
  about?: string | null;
  retention_s?: number | null;
  history_from_join?: boolean | null;
}

/** Enter a public or announcement channel. */
export interface JoinConversation {
  conversation: string;
  client_id: string;
}

export interface LeaveConversation {
  conversation: string;
  client_id: string;
}

export interface AddMember {
  conversation: string;
  client_id: string;
  user: string;
}

export interface RemoveMember {
  conversation: string;
  client_id: string;
  user: string;
}

export interface SetRole {
  conversation: string;
  client_id: string;
  user: string;
  role: "member" | "moderator" | "owner";
}

export interface Members {
  conversation: string;
  cursor?: string | null;
  limit?: number;
}

/** Channels that anybody may join, by title; `query` is a part of it. */
export interface Browse {
  query?: string;
  cursor?: string | null;
  limit?: number;
}

/** People who are here, by name; `query` is a part of it. */
export interface FindPeople {
  query?: string;
  cursor?: string | null;
  limit?: number;
}

export interface CreateInvite {
  conversation: string;
  ttl_s?: number;
  uses?: number;
}

export interface AcceptInvite {
  token: string;
  client_id: string;
}

/** Makes every link into the conversation worthless. */
export interface RevokeInvites {
  conversation: string;
}

/** Everything up to `seq` is read; with `delivered` it has only arrived. Marks move forward only. */
export interface MarkRead {
  conversation: string;
  seq: number;
  delivered?: boolean;
}

/** The conversation counts as unread from this message on, until it is read again. */
export interface MarkUnread {
  conversation: string;
  seq: number;
}

export type GetUnread = Record<string, never>;

/** Who has read, or got, the message `seq`; only in conversations of up to 100 members. */
export interface Readers {
  conversation: string;
  seq: number;
}

/** Mute (0: no longer), archive or pin a conversation for oneself; sets what is given. */
export interface Arrange {
  conversation: string;
  client_id: string;
  muted_until?: number | null;
  archived?: boolean | null;
  pinned?: boolean | null;
}

/** What is being written in a conversation, on all one's devices; without `body` it is dropped. */
export interface SetDraft {
  conversation: string;
  client_id: string;
  body?: MessageBody | null;
}

/** Settings of one's own, on all one's devices. An empty value takes a name away. */
export interface SetPreferences {
  client_id: string;
  preferences: Record<string, string>;
}

export interface SetBlock {
  user: string;
  client_id: string;
  blocked?: boolean;
}

export type GetMe = Record<string, never>;

export interface Typing {
  conversation: string;
  typing?: boolean;
}

/**
 * Messages that hold every word of `query`, newest first; a last word may be the beginning of one.
 *
 * `sender`, `conversation`, `has`, `before` and `after` (a time) narrow it; one of them is enough.
 */
export interface Search {
  query?: string;
  conversation?: string | null;
  sender?: string | null;
  has?: ("link" | "mention" | "pin" | "reaction" | "thread")[];
  before?: number | null;
  after?: number | null;
  cursor?: string | null;
  limit?: number;
}

/**
 * Where the client stands in its conversations, its own log among them.
 *
 * With `open` (over the real-time doors) it follows them all from the answer on, until the connection ends: in full
 * those that it names in `open`, which are on screen, and small ones; of large ones only `tips`, now and then.
 * Asked again, it adds conversations and replaces what is open.
 */
export interface Sync {
  positions: PositionInput[];
  open?: string[] | null;
}

/** Asks for what follows `after`: the answer to a gap, to `tips` ahead of the client, to `lagged`. */
export interface Fill {
  conversation: string;
  after: number;
}

/**
 * How one wants to be seen while one is here; it is kept. `text` is shown beside it; without it there is none.
 *
 * `invisible` is offline to everybody else, who then are told of no typing and no reading either.
 */
export interface SetStatus {
  status: ChosenStatus;
  text?: string;
}

/**
 * Asks for people's presence; over a socket, changes follow as `presence` until the connection ends.
 *
 * Asked again, it replaces whom one watches. Of those with whom one shares no conversation nothing is said.
 */
export interface Watch {
  people: string[];
}

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

/** `POST /auth/dev`, on servers for this machine only: the same name is the same person. */
export interface DevelopmentLogIn {
  name: string;
}

/** Ask for an account. The answer is the same whether the address has one; what follows comes by mail. */
export interface Register {
  email: string;
  invite?: string | null;
}

/** Make the account that a link is for. `email` counts for the first owner only; any other link names one. */
export interface FinishRegistration {
  token: string;
  name: string;
  password: string;
  email?: string | null;
  browser?: boolean;
}

/** `browser`: the tokens are set as cookies, out of the reach of scripts, instead of being answered. */
export interface LogIn {
  email: string;
  password: string;
  browser?: boolean;
}

/** The second step of a log-in: a code of the authenticator, or a recovery code, with the ticket of the first. */
export interface SecondFactor {
  ticket: string;
  code: string;
  browser?: boolean;
}

/** Without a token: that of the browser's cookie. */
export interface Refresh {
  refresh_token?: string | null;
}

/** End this session, or with `everywhere` all of one's own. */
export interface LogOut {
  everywhere?: boolean;
}

/** All other sessions end. */
export interface ChangePassword {
  password: string;
  new_password: string;
}

/** Ask for a link by mail that sets a new password. The answer is the same whether the address has an account. */
export interface Recover {
  email: string;
}

/** Set a new password with a link. All sessions end. */
export interface FinishRecovery {
  token: string;
  password: string;
}

/** What changes how one logs in needs the password again. */
export interface ConfirmPassword {
  password: string;
}

export interface ConfirmTotp {
  code: string;
}

/** Change one's own profile; what is left out stays. */
export interface UpdateAccount {
  name?: string | null;
  status_text?: string | null;
}

export interface SetAccountRole {
  role: AccountRole;
}

export interface SetBan {
  banned: boolean;
}

/** A link by which people register. With `email` it is for that address and proves it; else by mail as ever. */
export interface MakeInvitation {
  email?: string | null;
  role?: AccountRole;
  uses?: number;
  ttl_s?: number;
}

export interface ListAccounts {
  cursor?: string | null;
  limit?: number;
}

export interface ListAudit {
  cursor?: string | null;
}

/** `path`: where the browser goes on after it came back. */
export interface OAuthLink {
  path?: string;
}

/** `path`: where the browser goes on after it came back. */
export interface OAuthBegin {
  path?: string;
}

/** What a provider sends the browser back with (RFC 6749, section 4.1.2; RFC 9207). */
export interface OAuthReturn {
  state?: string;
  code?: string | null;
  error?: string | null;
  iss?: string | null;
}

/** What a link is for, without using it. */
export interface LookAtLink {
  token: string;
}

/** Client to server, each answered. */
export interface Requests {
  join: { request: Join; answer: Joined };
  leave: { request: Leave; answer: Ok };
  view: { request: View; answer: Ok };
  "set-track": { request: TrackMuted; answer: Ok };
  "restart-ice": { request: IceRestart; answer: IceRestarted };
  "add-robot": { request: AddRobot; answer: Participant };
  "send-message": { request: SendMessage; answer: Sent };
  "edit-message": { request: EditMessage; answer: Sent };
  "delete-message": { request: DeleteMessage; answer: Sent };
  "hide-message": { request: HideMessage; answer: Ok };
  react: { request: React; answer: Sent };
  "pin-message": { request: PinMessage; answer: Sent };
  history: { request: History; answer: HistoryPage };
  messages: { request: GetMessages; answer: MessageList };
  edits: { request: Edits; answer: EditList };
  reactions: { request: Reactions; answer: ReactionList };
  pins: { request: Pins; answer: MessageList };
  conversations: { request: Conversations; answer: ConversationList };
  conversation: { request: GetConversation; answer: Conversation };
  "create-conversation": { request: CreateConversation; answer: Conversation };
  "open-direct": { request: OpenDirect; answer: Conversation };
  "update-conversation": { request: UpdateConversation; answer: Sent };
  "join-conversation": { request: JoinConversation; answer: Sent };
  "leave-conversation": { request: LeaveConversation; answer: Sent };
  "add-member": { request: AddMember; answer: Sent };
  "remove-member": { request: RemoveMember; answer: Sent };
  "set-role": { request: SetRole; answer: Sent };
  members: { request: Members; answer: MemberList };
  browse: { request: Browse; answer: ConversationList };
  people: { request: FindPeople; answer: PersonList };
  "create-invite": { request: CreateInvite; answer: Invite };
  "accept-invite": { request: AcceptInvite; answer: Conversation };
  "revoke-invites": { request: RevokeInvites; answer: Ok };
  "mark-read": { request: MarkRead; answer: Marks };
  "mark-unread": { request: MarkUnread; answer: Marks };
  unread: { request: GetUnread; answer: UnreadList };
  readers: { request: Readers; answer: ReaderList };
  arrange: { request: Arrange; answer: Ok };
  "set-draft": { request: SetDraft; answer: Ok };
  "set-preferences": { request: SetPreferences; answer: Ok };
  "set-block": { request: SetBlock; answer: Ok };
  me: { request: GetMe; answer: Me };
  typing: { request: Typing; answer: Ok };
  search: { request: Search; answer: Found };
  sync: { request: Sync; answer: SyncAnswer };
  fill: { request: Fill; answer: Synced };
  "set-status": { request: SetStatus; answer: Ok };
  watch: { request: Watch; answer: PresenceList };
}

/** Server to client, never answered. */
export interface Notices {
  "participant-joined": Participant;
  "participant-updated": Participant;
  "participant-left": ParticipantLeft;
  slots: Slots;
  layers: Layers;
  speakers: Speakers;
  quality: Quality;
  "media-state": MediaState;
  message: Messages;
  tips: Tips;
  lagged: Tips;
  receipt: Receipt;
  gone: Gone;
  "somebody-typing": SomebodyTyping;
  presence: PresenceList;
  "session-ended": SessionEnded;
  goaway: GoAway;
}

export type RequestName = keyof Requests;
export type NoticeName = keyof Notices;
export type ChannelName = "control" | "chat";

/** Which requests each data channel takes. */
export const CHANNEL_REQUESTS: Readonly<Record<ChannelName, readonly RequestName[]>> = {
  control: ["set-track", "view"],
  chat: ["delete-message", "edit-message", "edits", "fill", "hide-message", "history", "mark-read", "mark-unread", "messages", "pin-message", "pins", "react", "send-message", "sync", "typing"],
};

/** Which notices use a data channel while it is open, and the socket while it is not. */
export const CHANNEL_NOTICES: Readonly<Record<ChannelName, readonly NoticeName[]>> = {
  control: ["layers", "quality", "slots", "speakers"],
  chat: ["gone", "lagged", "message", "receipt", "somebody-typing", "tips"],
};

/** Stable codes of errors; a newer server may know more. */
export type ErrorCode =
  | "account-banned"
  | "account-needed"
  | "account-not-found"
  | "api-key-invalid"
  | "bad-request"
  | "blocked"
  | "body-invalid"
  | "body-too-large"
  | "busy"
  | "chat-not-granted"
  | "client-id-reused"
  | "content-type-unsupported"
  | "conversation-full"
  | "conversation-not-found"
  | "conversation-too-large"
  | "credentials-wrong"
  | "csrf-invalid"
  | "cursor-invalid"
  | "database-unavailable"
  | "development-only"
  | "edit-stale"
  | "email-invalid"
  | "email-taken"
  | "email-unverified"
  | "event-unknown"
  | "forbidden"
  | "frame-invalid"
  | "frame-too-large"
  | "guests-disabled"
  | "ice-session-outdated"
  | "identity-linked"
  | "internal"
  | "invite-invalid"
  | "kind-unfit"
  | "last-owner"
  | "link-invalid"
  | "mail-missing"
  | "media-missing"
  | "media-unavailable"
  | "member-not-found"
  | "message-deleted"
  | "message-not-found"
  | "method-not-allowed"
  | "moderate-not-granted"
  | "not-a-member"
  | "not-found"
  | "not-joined"
  | "oauth-denied"
  | "oauth-failed"
  | "oauth-link-needed"
  | "oauth-state-invalid"
  | "offer-invalid"
  | "offer-missing-section"
  | "origin-foreign"
  | "outcome-unknown"
  | "own-only"
  | "participant-not-found"
  | "password-weak"
  | "path-invalid"
  | "pins-full"
  | "preferences-full"
  | "provider-unknown"
  | "publish-not-granted"
  | "rate-limited"
  | "reaction-invalid"
  | "reactions-full"
  | "refresh-invalid"
  | "registration-closed"
  | "right-missing"
  | "robots-full"
  | "robots-unavailable"
  | "role-insufficient"
  | "room-empty"
  | "room-ended"
  | "room-full"
  | "room-mismatch"
  | "room-not-found"
  | "search-empty"
  | "second-factor-state"
  | "second-factor-wrong"
  | "session-ended"
  | "session-not-found"
  | "subscribe-not-granted"
  | "text-blank"
  | "text-invalid"
  | "text-too-long"
  | "thread-invalid"
  | "token-expired"
  | "token-invalid"
  | "token-missing"
  | "unauthorized"
  | "user-invalid"
  | "workspace-needed";
