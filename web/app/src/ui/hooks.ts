/** Lets components read from the client's managers. */

import { useCallback, useEffect, useState, useSyncExternalStore } from "react";

interface Observable<Name extends string> {
  on(name: Name, listener: () => void): () => void;
}

/**
 * The value of `read` now, and again after each event. `read` must answer with the same value until it changes.
 */
export function useObserved<Name extends string, Value>(
  source: Observable<NoInfer<Name>>,
  event: Name,
  read: () => Value,
): Value {
  const subscribe = useCallback((changed: () => void) => source.on(event, changed), [source, event]);
  return useSyncExternalStore(subscribe, read);
}

/** Whether a media query holds. */
export function useMedia(query: string): boolean {
  const subscribe = useCallback(
    (changed: () => void) => {
      const list = matchMedia(query);
      list.addEventListener("change", changed);
      return () => list.removeEventListener("change", changed);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => matchMedia(query).matches);
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The content size of an element, in CSS pixels, as it changes. Give `ref` to the element. */
export function useSize(): [ref: (element: HTMLElement | null) => void, size: Size] {
  const [element, setElement] = useState<HTMLElement | null>(null);
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useEffect(() => {
    if (element === null) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined) setSize({ width: entry.contentRect.width, height: entry.contentRect.height });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [element]);
  return [setElement, size];
}

/** Sets the window's title while shown. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title;
  }, [title]);
}
