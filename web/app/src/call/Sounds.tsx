/**
 * Plays every audio slot, whoever is in it. An element lives from its slot's first occupant to the end of the media
 * session: moving tiles about must not interrupt a voice.
 */

import type { Seats } from "@tertulia/client";
import { useCallback, useEffect, useRef, useState, type ReactNode } from "react";

import { Button } from "../ui/controls";
import { useObserved } from "../ui/hooks";
import { SoundIcon } from "../ui/icons";

export function Sounds({ seats }: { readonly seats: Seats }): ReactNode {
  const slots = useObserved(seats, "change", () => seats.slots);
  const [isBlocked, setBlocked] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const block = useCallback(() => setBlocked(true), []);
  const unlock = (): void => {
    setBlocked(false);
    for (const element of box.current?.querySelectorAll("audio") ?? []) element.play().catch(block);
  };
  return (
    <div ref={box}>
      {slots.map(({ mid, kind, media, used }) =>
        kind === "audio" && used ? <SlotSound key={`${mid} ${media.id}`} media={media} onBlocked={block} /> : null,
      )}
      {isBlocked && (
        <div className="unlock" role="alert">
          <p>Your browser holds back the sound until you say so.</p>
          <Button look="primary" onPress={unlock} testId="unlock-sound">
            <SoundIcon />
            Turn on sound
          </Button>
        </div>
      )}
    </div>
  );
}

interface SlotSoundProps {
  readonly media: MediaStreamTrack;
  readonly onBlocked: () => void;
}

function SlotSound({ media, onBlocked }: SlotSoundProps): ReactNode {
  const element = useRef<HTMLAudioElement>(null);
  useEffect(() => {
    const audio = element.current;
    if (audio === null) return;
    audio.srcObject = new MediaStream([media]);
    audio.play().catch((error: unknown) => {
      // An element that is taken away while it starts is no matter.
      if (error instanceof DOMException && error.name === "NotAllowedError") onBlocked();
    });
    return () => {
      audio.srcObject = null;
    };
  }, [media, onBlocked]);
  // Live voices have no captions yet.
  // eslint-disable-next-line jsx-a11y/media-has-caption
  return <audio ref={element} autoPlay />;
}
