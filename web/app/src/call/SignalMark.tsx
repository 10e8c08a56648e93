/** Bars for the quality of our own connection, with a sentence for those who ask. */

import type { Room } from "@tertulia/client";
import type { ReactNode } from "react";

import { signalSentence } from "../text/signal";
import { useObserved } from "../ui/hooks";

const BARS = [1, 2, 3, 4, 5] as const;

export function SignalMark({ room }: { readonly room: Room }): ReactNode {
  const quality = useObserved(room.signal, "change", () => room.signal.quality);
  if (quality === null) return null;
  const sentence = signalSentence(quality);
  return (
    <span className="signal" role="img" aria-label={sentence} title={sentence} data-score={quality.score} data-testid="signal">
      <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
        {BARS.map((bar) => (
          <rect
            key={bar}
            x={bar * 4 - 2.5}
            y={21 - bar * 3.6}
            width="2.6"
            height={bar * 3.6}
            rx="1"
            data-lit={bar <= quality.score}
          />
        ))}
      </svg>
    </span>
  );
}
