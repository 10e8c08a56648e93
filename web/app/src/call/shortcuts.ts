/** Keyboard shortcuts of a call. All need a modifier, so that nothing happens while one writes (WCAG 2.1.4). */

import { useEffect } from "react";

import type { Visit } from "../visit";
import type { Panel } from "./Call";

const isApple = /Mac|iPhone|iPad/.test(navigator.userAgent);
const CONTROL = isApple ? "⌘" : "Ctrl+";
const ALT = isApple ? "⌥" : "Alt+";

export const SHORTCUTS = {
  microphone: `${CONTROL}D`,
  camera: `${CONTROL}E`,
  screen: `${ALT}S`,
  chat: `${ALT}C`,
  people: `${ALT}P`,
} as const;

export function useShortcuts({ capture }: Visit, toggle: (panel: Panel) => void): void {
  useEffect(() => {
    const actions: Readonly<Record<string, () => void>> = {
      "control KeyD": () => void capture.toggle("microphone"),
      "control KeyE": () => void capture.toggle("camera"),
      "alt KeyS": () => void capture.toggle("screen"),
      "alt KeyC": () => toggle("chat"),
      "alt KeyP": () => toggle("people"),
    };
    const pressed = (event: KeyboardEvent): void => {
      if (event.shiftKey || event.repeat) return;
      const control = isApple ? event.metaKey : event.ctrlKey;
      const modifier = control && !event.altKey ? "control" : event.altKey && !control ? "alt" : "";
      const action = actions[`${modifier} ${event.code}`];
      if (action === undefined) return;
      event.preventDefault();
      action();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, [capture, toggle]);
}
