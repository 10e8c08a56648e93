/**
 * A conversation's rows in a box that scrolls both ways. Only what is near the window is in the page (virtua), however
 * long the conversation is. New messages keep the reader at the end who was there, and move nobody else.
 */

import type { Lines, ChatSnapshot } from "@tertulia/client";
import { useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode, type RefObject } from "react";
import { Virtualizer, type VirtualizerHandle } from "virtua";

import { failureText } from "../text/errors";
import { dayText } from "../text/time";
import { visible, visibleName } from "../text/visible";
import { Button, IconButton } from "../ui/controls";
import { DownIcon } from "../ui/icons";
import { EventRow } from "./EventRow";
import { EchoRow, MessageRow } from "./MessageRow";
import { isPrepended, rowsOf, type Row } from "./rows";
import type { Talk } from "./talk";

interface MessageListProps {
  readonly talk: Talk;
  readonly lines: Lines;
  readonly snapshot: ChatSnapshot;
  /** A message to show, as it is asked for: another object jumps again. */
  readonly target: { readonly seq: number } | null;
  readonly onReply: (seq: number) => void;
  readonly onEdit: (seq: number) => void;
  /** The reader sees the newest message (its `seq`), in a window that is looked at. */
  readonly onSeen?: (seq: number) => void;
  /** Back to the field where one writes. */
  readonly onLeave: () => void;
  readonly empty: string;
}

/** More is asked for this far before an end is reached. */
const AHEAD_PX = 600;
/** So near to the end counts as being there. */
const END_PX = 40;
const FRAMES_MAX = 60;
/** As long as it takes to come to rest where the list was told to scroll to. */
const MOVE_MS = 150;

export function MessageList(props: MessageListProps): ReactNode {
  const { talk, lines, snapshot, target, onSeen, onReply, onEdit, onLeave, empty } = props;
  const { me, readNo, isThread } = talk;
  const rows = useMemo(() => rowsOf(snapshot, { me, readNo, isThread }), [snapshot, me, readNo, isThread]);
  const [before, setBefore] = useState<{ rows: readonly Row[]; isShift: boolean }>({ rows, isShift: false });
  if (before.rows !== rows) setBefore({ rows, isShift: isPrepended(before.rows, rows) });
  const box = useRef<HTMLDivElement>(null);
  const list = useRef<VirtualizerHandle>(null);
  const isAtEnd = useRef(true);
  /** The reader asked for the newest message, which is yet to come. */
  const wantsEnd = useRef(false);
  const moving = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const settled = useRef<() => void>(() => undefined);
  const sees = useRef<() => void>(() => undefined);
  const hasStarted = useRef(false);
  const [isAway, setAway] = useState(false);

  const look = (): void => {
    const view = list.current;
    if (view === null || !hasStarted.current || moving.current !== undefined) return;
    const below = view.scrollSize - view.viewportSize - view.scrollOffset;
    isAtEnd.current = below < END_PX && !snapshot.newer;
    setAway(snapshot.newer || below > view.viewportSize);
    if (snapshot.loading !== null || snapshot.error !== null) return;
    if (view.scrollOffset < AHEAD_PX && snapshot.older) void lines.loadOlder();
    else if (below < AHEAD_PX && snapshot.newer) void lines.loadNewer();
  };

  /** Rows that were never measured are where they are after some frames; until then nothing is concluded. */
  const move = (index: number, align: "start" | "center" | "end", offset = 0): void => {
    list.current?.scrollToIndex(index, { align, offset });
    isAtEnd.current = align === "end";
    clearTimeout(moving.current);
    moving.current = setTimeout(() => {
      moving.current = undefined;
      settled.current();
    }, MOVE_MS);
  };

  /** The reader scrolls: that counts at once, however many messages come in. */
  const release = (): void => {
    clearTimeout(moving.current);
    moving.current = undefined;
  };

  const settle = (): void => {
    look();
    const view = list.current;
    if (view === null || !hasStarted.current || moving.current !== undefined) return;
    sees.current();
    const top = rows.slice(view.findItemIndex(view.scrollOffset)).find(hasSeq);
    talk.place?.keep(isAtEnd.current || top === undefined ? null : top.message.seq);
  };

  const seqAtEnd = snapshot.messages.at(-1)?.seq ?? 0;
  const newestEcho = snapshot.echoes.at(-1)?.clientId;
  const sawEcho = useRef(newestEcho);
  useLayoutEffect(() => {
    const view = list.current;
    if (view === null || snapshot.isEmpty || rows.length === 0) return;
    if (!hasStarted.current) {
      const place = talk.place?.get() ?? null;
      const kept = place === null ? -1 : rows.findIndex((row) => hasSeq(row) && row.message.seq === place);
      const marker = rows.findIndex((row) => row.kind === "new");
      const start = kept < 0 ? marker : kept;
      if (start < 0) move(rows.length - 1, "end");
      else move(start, "start", start === kept ? 0 : -60);
      hasStarted.current = true;
    } else if (isAtEnd.current || newestEcho !== sawEcho.current || (wantsEnd.current && !snapshot.newer)) {
      // Whoever writes wants to see it, wherever they have scrolled to.
      move(rows.length - 1, "end");
      wantsEnd.current = false;
    }
    sawEcho.current = newestEcho;
  }, [rows, snapshot.isEmpty, snapshot.newer, newestEcho, talk.place]);

  useEffect(() => {
    settled.current = settle;
  });
  useEffect(() => () => clearTimeout(moving.current), []);
  // A page that does not fill the box cannot be scrolled to ask for more; and pages come until it is full.
  useEffect(look);
  useEffect(() => {
    if (onSeen === undefined) return;
    const see = (): void => {
      if (isAtEnd.current && document.visibilityState === "visible" && document.hasFocus() && seqAtEnd > 0) onSeen(seqAtEnd);
    };
    sees.current = see;
    see();
    const scroller = box.current;
    addEventListener("focus", see);
    document.addEventListener("visibilitychange", see);
    scroller?.addEventListener("scrollend", see);
    return () => {
      removeEventListener("focus", see);
      document.removeEventListener("visibilitychange", see);
      scroller?.removeEventListener("scrollend", see);
    };
  }, [onSeen, seqAtEnd, isAway]);

  const shown = useRef<{ seq: number } | null>(null);
  useEffect(() => {
    if (target === null || target === shown.current) return;
    const index = rows.findIndex((row) => row.kind === "message" && row.message.seq === target.seq);
    if (index < 0) return;
    shown.current = target;
    hasStarted.current = true;
    move(index, "center");
    focusMessage(box, target.seq, FRAMES_MAX);
  }, [target, rows]);

  const toEnd = (): void => {
    talk.place?.keep(null);
    wantsEnd.current = snapshot.newer;
    if (snapshot.newer) void lines.loadNewest();
    else move(rows.length - 1, "end");
  };

  const pressed = (event: KeyboardEvent): void => {
    if (event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement) return;
    release();
    if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      if (moveFocus(box.current, event.key === "ArrowUp" ? -1 : 1)) event.preventDefault();
    } else if (event.key === "Escape") onLeave();
    else if (event.key === "End") toEnd();
  };

  return (
    <div className="chat-area">
      {/* A box that scrolls must be reachable by keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <div
        className="chat-scroll"
        ref={box}
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        role="region"
        aria-label={isThread ? "Replies" : "Messages"}
        aria-busy={snapshot.loading !== null}
        onKeyDown={pressed}
        onWheel={release}
        onTouchMove={release}
        onPointerDown={release}
      >
        <div className="chat-spacer" />
        {snapshot.error !== null && (
          <div className="chat-note" role="alert">
            <p>{failureText(snapshot.error)}</p>
            <Button onPress={() => void lines.loadNewest()}>Try again</Button>
          </div>
        )}
        {snapshot.isEmpty && snapshot.error === null && <p className="chat-note">Loading messages…</p>}
        {!snapshot.isEmpty && snapshot.messages.length === 0 && snapshot.echoes.length === 0 && (
          <p className="chat-note">{empty}</p>
        )}
        <Virtualizer ref={list} scrollRef={box} as="ol" item="li" shift={before.isShift} onScroll={look} onScrollEnd={settle} data={rows}>
          {(row) => <RowItem key={row.key} row={row} talk={talk} onReply={onReply} onEdit={onEdit} isFound={target?.seq} />}
        </Virtualizer>
      </div>
      {isAway && (
        <div className="chat-jump">
          <IconButton label="Jump to the newest message" icon={<DownIcon />} look="control" onPress={toEnd} testId="chat-newest" />
        </div>
      )}
      <NewMessages snapshot={snapshot} me={me} blocked={talk.blocked} />
    </div>
  );
}

function hasSeq(row: Row): row is Extract<Row, { readonly message: unknown }> {
  return row.kind === "message" || row.kind === "event";
}

interface RowItemProps {
  readonly row: Row;
  readonly talk: Talk;
  readonly onReply: (seq: number) => void;
  readonly onEdit: (seq: number) => void;
  readonly isFound: number | undefined;
}

function RowItem({ row, talk, onReply, onEdit, isFound }: RowItemProps): ReactNode {
  switch (row.kind) {
    case "begin":
      return <p className="chat-note">This is where it began.</p>;
    case "day":
      return <p className="day">{dayText(row.at)}</p>;
    case "new":
      return (
        <p className="chat-new" data-testid="chat-unread-line">
          <span>New</span>
        </p>
      );
    case "event":
      return <EventRow message={row.message} me={talk.me} />;
    case "echo":
      return <EchoRow talk={talk} echo={row.echo} />;
    case "message":
      return (
        <MessageRow
          talk={talk}
          message={row.message}
          isTogether={row.isTogether}
          isFound={row.message.seq === isFound}
          onReply={onReply}
          onEdit={onEdit}
        />
      );
  }
}

interface NewMessagesProps {
  readonly snapshot: ChatSnapshot;
  readonly me: string | null;
  readonly blocked: readonly string[];
}

/** Reads out what others write, but not what is scrolled to. */
function NewMessages({ snapshot, me, blocked }: NewMessagesProps): ReactNode {
  const newest = snapshot.newer ? undefined : snapshot.messages.at(-1);
  const [first] = useState(newest?.seq ?? null);
  const isNews = newest?.kind === "message" && newest.body !== null && newest.sender !== me && newest.seq !== first && !blocked.includes(newest.sender ?? "");
  return (
    <div className="visually-hidden" role="log" aria-live="polite" aria-label="New messages">
      {isNews && <p key={newest.seq}>{`${visibleName(newest.sender_name)}: ${visible(newest.body?.text ?? "")}`}</p>}
    </div>
  );
}

function moveFocus(box: HTMLElement | null, step: 1 | -1): boolean {
  const found = [...(box?.querySelectorAll<HTMLElement>("[data-seq]") ?? [])];
  const at = found.findIndex((one) => one.contains(document.activeElement));
  const next = at < 0 ? found.at(-1) : found[at + step];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
  return next !== undefined;
}

/** The row comes into the page some frames after the list was scrolled there. */
function focusMessage(box: RefObject<HTMLElement | null>, seq: number, frames: number): void {
  requestAnimationFrame(() => {
    const found = box.current?.querySelector<HTMLElement>(`[data-seq="${seq}"]`);
    found?.scrollIntoView({ block: "nearest" });
    found?.focus({ preventScroll: true });
    // A row that was not measured yet is hidden, and cannot take the focus.
    const hasFocus = found?.contains(document.activeElement) ?? false;
    if (!hasFocus && frames > 0) focusMessage(box, seq, frames - 1);
  });
}
