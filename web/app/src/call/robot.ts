/** A robot brings a moving picture and a tone, so that one person alone can see a call work. */

import { useCallback } from "react";

import { failureText } from "../text/errors";
import { useAnnouncer } from "../ui/announce";
import type { Visit } from "../visit";

export function useRobot({ room }: Visit): () => Promise<void> {
  const announcer = useAnnouncer();
  return useCallback(async () => {
    announcer.say("A robot is on its way.");
    const added = await room.addRobot();
    if (!added.ok) announcer.warn(failureText(added.error));
  }, [room, announcer]);
}
