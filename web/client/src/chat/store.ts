/** Where the client keeps what must outlive a reload. */

import type { Entry } from "./outbox.js";

export interface OutboxStore {
  /** In the order of writing. */
  load(): Promise<readonly Entry[]>;
  save(entry: Entry): Promise<void>;
  remove(clientId: string): Promise<void>;
}

/** Forgets with the page: for rooms, tests, and browsers that forbid storage. */
export const nowhere: OutboxStore = {
  load: () => Promise.resolve([]),
  save: () => Promise.resolve(),
  remove: () => Promise.resolve(),
};
