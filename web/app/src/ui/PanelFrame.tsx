/** What chat and people have in common: a column beside the stage, or a sheet over it on narrow windows. */

import { useEffect, useRef, type ReactNode } from "react";

import { IconButton } from "./controls";
import { CloseIcon } from "./icons";

interface PanelFrameProps {
  readonly title: string;
  readonly testId: string;
  readonly isSheet: boolean;
  readonly onClose: () => void;
  readonly children?: ReactNode;
}

export function PanelFrame({ title, testId, isSheet, onClose, children }: PanelFrameProps): ReactNode {
  const frame = useRef<HTMLElement>(null);
  useEffect(() => {
    if (!isSheet) return;
    const before = document.activeElement;
    frame.current?.focus();
    const pressed = (event: KeyboardEvent): void => {
      if (event.key === "Escape") onClose();
    };
    addEventListener("keydown", pressed);
    return () => {
      removeEventListener("keydown", pressed);
      if (before instanceof HTMLElement) before.focus();
    };
  }, [isSheet, onClose]);
  return (
    <aside className="panel" data-sheet={isSheet} aria-label={title} data-testid={testId} ref={frame} tabIndex={-1}>
      <header className="panel-header">
        <h2>{title}</h2>
        <IconButton label={`Close ${title.toLowerCase()}`} icon={<CloseIcon />} onPress={onClose} testId="close-panel" />
      </header>
      {children}
    </aside>
  );
}
