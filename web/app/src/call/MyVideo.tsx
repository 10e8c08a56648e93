/** One's own camera, as a mirror, or one's own screen. */

import type { Publisher } from "@tertulia/client";
import { useEffect, useRef, type ReactNode } from "react";

import { useObserved } from "../ui/hooks";

interface MyVideoProps {
  readonly publisher: Publisher;
  readonly kind: "camera" | "screen";
}

export function MyVideo({ publisher, kind }: MyVideoProps): ReactNode {
  const track = useObserved(publisher, "change", () => publisher.track(kind));
  const element = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const video = element.current;
    if (video === null || track === null) return;
    video.srcObject = new MediaStream([track]);
    return () => {
      video.srcObject = null;
    };
  }, [track]);
  // Own pictures make no sound, so there is nothing to caption.
  return <video ref={element} className="my-video" data-kind={kind} data-testid={`my-${kind}`} autoPlay muted playsInline />;
}
