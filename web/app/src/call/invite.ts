/** The link that brings others into the room. */

import { useCallback } from "react";

import { pathOf } from "../router";
import { useAnnouncer } from "../ui/announce";
import type { Visit } from "../visit";

export function useInvite({ id }: Visit): () => Promise<void> {
  const announcer = useAnnouncer();
  return useCallback(async () => {
    const link = location.origin + pathOf(id);
    // Absent on pages that are not secure; refused when the window has no focus.
    const clipboard = navigator.clipboard as Clipboard | undefined;
    try {
      if (clipboard === undefined) throw new DOMException("no clipboard here", "NotSupportedError");
      await clipboard.writeText(link);
      announcer.say("The link is copied. Send it to whom you want to see.");
    } catch {
      announcer.warn(`Send this link to whom you want to see: ${link}`);
    }
  }, [id, announcer]);
}
