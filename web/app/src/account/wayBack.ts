/** What a provider's way back says behind the `#`: a code, whose sentence is ours, or a ticket. */

import type { Failure } from "@tertulia/client";

export interface WayBack {
  /** The provider knows who it is, and the account asks for a second step. */
  readonly ticket: string | null;
  readonly failure: Failure | null;
}

export function wayBackOf(hash: string): WayBack {
  const said = new URLSearchParams(hash.slice(1));
  const code = said.get("error");
  const message = "Logging in that way did not work. Try it again.";
  return { ticket: said.get("ticket"), failure: code === null ? null : { kind: "refused", code, message, field: null } };
}
