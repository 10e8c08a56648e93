/** Keeps in the browser's database (dexie over IndexedDB) what must outlive a reload: one's unsent changes. */

import { Dexie, type Table } from "dexie";

import type { Entry } from "../chat/outbox.js";
import type { OutboxStore } from "../chat/store.js";

interface Row {
  readonly clientId: string;
  readonly order: number;
  readonly entry: Entry;
}

/** One database a person: whoever logs in next on this machine does not send what another one wrote. */
export function browserStore(identity: string): OutboxStore {
  const database = new Dexie(`tertulia.${identity}`);
  database.version(1).stores({ outbox: "clientId, order" });
  const table: Table<Row, string> = database.table("outbox");
  return {
    async load() {
      try {
        return (await table.orderBy("order").toArray()).map(({ entry }) => entry);
      } catch {
        // A browser that forbids storage forgets, and works all the same.
        return [];
      }
    },
    async save(entry) {
      await table.put({ clientId: entry.data.client_id, order: entry.order, entry });
    },
    remove: (clientId) => table.delete(clientId),
  };
}
