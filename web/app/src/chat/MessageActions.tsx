/** What can be done to a message: a few buttons beside it, and all of it in a menu. */

import type { Message } from "@tertulia/client";
import { useMemo, type ReactNode } from "react";
import { Button, Menu, MenuItem, MenuTrigger, Popover } from "react-aria-components";

import { failureText } from "../text/errors";
import { useAnnouncer } from "../ui/announce";
import { IconButton } from "../ui/controls";
import { MoreIcon, ReplyIcon, ThreadIcon } from "../ui/icons";
import { EmojiButton } from "./EmojiButton";
import type { Talk } from "./talk";

export interface Action {
  readonly id: string;
  readonly label: string;
  /** Does it while the message has the focus. */
  readonly key: string | null;
  readonly isDangerous?: boolean;
  readonly run: () => void;
}

interface Asked {
  readonly talk: Talk;
  readonly message: Message;
  readonly onReply: (seq: number) => void;
  readonly onEdit: (seq: number) => void;
}

export function useMessageActions({ talk, message, onReply, onEdit }: Asked): readonly Action[] {
  const announcer = useAnnouncer();
  return useMemo(() => {
    const { chat, me, canModerate, canPin, silence } = talk;
    const isMine = message.sender === me;
    const isDeleted = message.body === null;
    const canWrite = silence === null && !isDeleted;
    const remove = (forAll: boolean): void => {
      const clientId = chat.remove(message, forAll);
      announcer.offer(forAll ? "Deleted for everybody." : "Deleted for you.", "Undo", () => chat.discard(clientId));
    };
    const copy = async (text: string, done: string): Promise<void> => {
      try {
        await navigator.clipboard.writeText(text);
        announcer.say(done);
      } catch {
        announcer.warn("The browser did not allow copying.");
      }
    };
    const markUnread = async (): Promise<void> => {
      const marked = await talk.onMarkUnread?.(message);
      if (marked !== undefined && !marked.ok) announcer.warn(failureText(marked.error));
    };
    const link = talk.link(message);
    const all: (Action | null)[] = [
      canWrite ? { id: "reply", label: "Reply", key: "r", run: () => onReply(message.seq) } : null,
      canWrite && talk.onThread !== undefined && !talk.isThread
        ? { id: "thread", label: "Reply in a thread", key: "t", run: () => talk.onThread?.(message) }
        : null,
      canWrite && isMine ? { id: "edit", label: "Edit", key: "e", run: () => onEdit(message.seq) } : null,
      isDeleted ? null : { id: "copy", label: "Copy text", key: "c", run: () => void copy(message.body?.text ?? "", "Copied.") },
      link === null ? null : { id: "link", label: "Copy link", key: "l", run: () => void copy(link, "Link copied.") },
      canPin && !isDeleted
        ? {
            id: "pin",
            label: message.pinned_at === null ? "Pin" : "Unpin",
            key: "p",
            run: () => chat.pin(message, message.pinned_at === null),
          }
        : null,
      talk.onMarkUnread === undefined || talk.isThread || message.no === null
        ? null
        : { id: "unread", label: "Mark unread from here", key: "u", run: () => void markUnread() },
      talk.canHide ? { id: "hide", label: "Delete for me", key: null, isDangerous: true, run: () => remove(false) } : null,
      !isDeleted && (isMine || canModerate)
        ? { id: "delete", label: "Delete for everybody", key: "Delete", isDangerous: true, run: () => remove(true) }
        : null,
    ];
    return all.filter((action) => action !== null);
  }, [talk, message, onReply, onEdit, announcer]);
}

interface MessageActionsProps {
  readonly talk: Talk;
  readonly message: Message;
  readonly actions: readonly Action[];
  readonly open: "menu" | "emoji" | null;
  readonly onOpen: (open: "menu" | "emoji" | null) => void;
}

export function MessageActions({ talk, message, actions, open, onOpen }: MessageActionsProps): ReactNode {
  const reply = actions.find(({ id }) => id === "reply");
  const thread = actions.find(({ id }) => id === "thread");
  return (
    <div className="message-actions" role="group" aria-label="Message actions">
      {talk.silence === null && (
        <EmojiButton
          label="React"
          onOpen={(isOpen) => onOpen(isOpen ? "emoji" : null)}
          onChoose={(emoji) => talk.chat.react(message, emoji, message.mine.includes(emoji))}
        />
      )}
      {reply !== undefined && (
        <IconButton label="Reply" shortcut="R" icon={<ReplyIcon />} onPress={reply.run} testId="message-reply" />
      )}
      {thread !== undefined && (
        <IconButton label="Reply in a thread" shortcut="T" icon={<ThreadIcon />} onPress={thread.run} testId="message-thread" />
      )}
      {actions.length > 0 && (
        <MenuTrigger isOpen={open === "menu"} onOpenChange={(isOpen) => onOpen(isOpen ? "menu" : null)}>
          <Button className="icon-button plain" aria-label="More actions" data-testid="message-more">
            <MoreIcon />
          </Button>
          <Popover className="popover" placement="bottom end">
            <Menu className="menu" aria-label="Message actions" onAction={(id) => actions.find((action) => action.id === id)?.run()}>
              {actions.map(({ id, label, key, isDangerous }) => (
                <MenuItem key={id} id={id} className="menu-item" data-danger={isDangerous} data-testid={`do-${id}`} textValue={label}>
                  <span>{label}</span>
                  {key !== null && <kbd>{key === "Delete" ? "Del" : key.toUpperCase()}</kbd>}
                </MenuItem>
              ))}
            </Menu>
          </Popover>
        </MenuTrigger>
      )}
    </div>
  );
}
