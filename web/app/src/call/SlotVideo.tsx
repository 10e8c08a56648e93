/**
 * The picture of one receive slot, labelled with whom it shows.
 *
 * Covering and uncovering go straight to the element: a rendering later, a frame would already have been seen.
 */

import type { Seats, SlotState } from "@tertulia/client";
import { useLayoutEffect, useRef, type ReactNode } from "react";

interface SlotVideoProps {
  readonly seats: Seats;
  readonly slot: SlotState;
}

export function SlotVideo({ seats, slot }: SlotVideoProps): ReactNode {
  const element = useRef<HTMLVideoElement>(null);
  const { mid, media } = slot;
  useLayoutEffect(() => {
    const video = element.current;
    if (video === null) return;
    const cover = (covered: boolean): void => {
      video.dataset["covered"] = String(covered);
    };
    cover(seats.isCovered(mid));
    const stop = seats.on("cover", (which, covered) => {
      if (which === mid) cover(covered);
    });
    const stopWatching = watchFrames(video, (rtpTimestamp) => seats.handleFrame(mid, rtpTimestamp));
    video.srcObject = new MediaStream([media]);
    // Muted pictures may always play; an element that is taken away while it starts is no matter.
    video.play().catch(() => undefined);
    return () => {
      stop();
      stopWatching();
      video.srcObject = null;
    };
  }, [seats, mid, media]);
  return (
    <video
      ref={element}
      className="slot-video"
      data-participant={slot.participant}
      data-track={slot.track}
      data-mid={mid}
      muted
      playsInline
    />
  );
}

/** Reports the RTP timestamp of each presented frame; null where the browser does not tell. */
function watchFrames(video: HTMLVideoElement, seen: (rtpTimestamp: number | null) => void): () => void {
  if (!("requestVideoFrameCallback" in video)) {
    const look = (): void => seen(null);
    const plain = video as HTMLVideoElement;
    plain.addEventListener("timeupdate", look);
    return () => plain.removeEventListener("timeupdate", look);
  }
  let handle = video.requestVideoFrameCallback(function next(_now, frame) {
    seen(frame.rtpTimestamp ?? null);
    handle = video.requestVideoFrameCallback(next);
  });
  return () => video.cancelVideoFrameCallback(handle);
}
