/** What a person chose last time. A browser that forbids storage forgets, and works all the same. */

type Kept = Pick<Storage, "getItem" | "setItem" | "removeItem">;

function open(): Kept {
  try {
    localStorage.getItem("tertulia.name");
    return localStorage;
  } catch {
    const kept = new Map<string, string>();
    return {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => void kept.set(key, value),
      removeItem: (key) => void kept.delete(key),
    };
  }
}

export const memory = open();

export function remembered(key: string): string {
  return memory.getItem(`tertulia.${key}`) ?? "";
}

export function remember(key: string, value: string): void {
  memory.setItem(`tertulia.${key}`, value);
}
