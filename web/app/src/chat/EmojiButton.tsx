/** Chooses an emoji: the ones that people react with most, or any that is typed. */

import { useState, type ReactNode, type SubmitEvent } from "react";
import { Button, Dialog, DialogTrigger, Popover } from "react-aria-components";

import { SmileIcon } from "../ui/icons";

const COMMON: readonly (readonly [emoji: string, name: string])[] = [
  ["👍", "thumbs up"],
  ["❤️", "heart"],
  ["😂", "laughing"],
  ["🎉", "party"],
  ["😮", "surprised"],
  ["😢", "sad"],
  ["🙏", "thank you"],
  ["👀", "eyes"],
  ["✅", "done"],
  ["🔥", "fire"],
  ["👏", "applause"],
  ["🤔", "thinking"],
];
const EMOJI = /\p{Extended_Pictographic}|\p{Regional_Indicator}|[0-9#*]\ufe0f?\u20e3/u;

interface EmojiButtonProps {
  readonly label: string;
  readonly onChoose: (emoji: string) => void;
  readonly onOpen?: (isOpen: boolean) => void;
}

export function EmojiButton({ label, onChoose, onOpen }: EmojiButtonProps): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const [text, setText] = useState("");
  const open = (next: boolean): void => {
    setOpen(next);
    onOpen?.(next);
  };
  const choose = (emoji: string): void => {
    open(false);
    setText("");
    onChoose(emoji);
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const [first] = new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text.trim());
    if (first !== undefined && EMOJI.test(first.segment)) choose(first.segment);
  };
  return (
    <DialogTrigger isOpen={isOpen} onOpenChange={open}>
      <Button className="icon-button plain" aria-label={label} data-testid="message-react">
        <SmileIcon />
      </Button>
      <Popover className="popover" placement="top end">
        <Dialog className="emojis" aria-label="Choose a reaction">
          <div className="emoji-grid">
            {COMMON.map(([emoji, name]) => (
              <Button key={emoji} className="emoji" aria-label={name} onPress={() => choose(emoji)} data-testid={`emoji-${name}`}>
                {emoji}
              </Button>
            ))}
          </div>
          <form onSubmit={submit}>
            <input
              className="input"
              value={text}
              onChange={(event) => setText(event.target.value)}
              placeholder="Any other emoji"
              aria-label="Any other emoji"
              maxLength={16}
            />
          </form>
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
