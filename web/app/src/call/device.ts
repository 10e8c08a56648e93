/** What the machine under the page has to say: its network changes, and its screen wants to go dark. */

import { useEffect } from "react";

import type { Visit } from "../visit";

/** Network Information API, where there is one (Chromium). */
interface NetworkInformation extends EventTarget {
  readonly type?: string;
}

/** A browser that finds a network again, or another one, says so sooner than any time-out. */
export function useNetwork({ room }: Visit): void {
  useEffect(() => {
    const changed = (): void => room.handleOnline();
    const network = (navigator as { connection?: NetworkInformation }).connection;
    let type = network?.type;
    const looked = (): void => {
      // It also reports mere changes of speed.
      if (network?.type === type) return;
      type = network?.type;
      if (type !== "none") changed();
    };
    addEventListener("online", changed);
    network?.addEventListener("change", looked);
    return () => {
      removeEventListener("online", changed);
      network?.removeEventListener("change", looked);
    };
  }, [room]);
}

/** Nobody touches a phone while talking; it should not fall asleep for that. */
export function useWakefulness(): void {
  useEffect(() => {
    if (!("wakeLock" in navigator)) return;
    let lock: WakeLockSentinel | null = null;
    let isDone = false;
    const ask = async (): Promise<void> => {
      if (document.visibilityState !== "visible") return;
      try {
        lock = await navigator.wakeLock.request("screen");
        if (isDone) void lock.release();
      } catch {
        // Refused when the battery is low; the call goes on all the same.
        lock = null;
      }
    };
    // The lock is lost with the page's visibility and has to be asked for again.
    const changed = (): void => void ask();
    document.addEventListener("visibilitychange", changed);
    changed();
    return () => {
      isDone = true;
      document.removeEventListener("visibilitychange", changed);
      void lock?.release();
    };
  }, []);
}
