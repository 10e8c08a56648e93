/** What can go wrong between a client and a server, as values: nothing here is thrown. */

import type { ErrorCode } from "./catalogue.js";

/** The server understood and said no. `code` is stable, `message` is a sentence for people. */
export interface Refused {
  readonly kind: "refused";
  readonly code: string;
  readonly message: string;
  readonly field: string | null;
  /** Seconds after which it is worth asking again (`Retry-After`), where the server said so. */
  readonly retryAfterS?: number;
}

/** No answer came in time. The request may or may not have been carried out. */
export interface TimedOut {
  readonly kind: "timed-out";
  readonly what: string;
}

/** No door to the server is open. */
export interface Offline {
  readonly kind: "offline";
}

/** The browser could not do its part of the media session. */
export interface MediaFailed {
  readonly kind: "media-failed";
  readonly step: "offer" | "answer";
  readonly message: string;
}

export type Failure = Refused | TimedOut | Offline | MediaFailed;

export type Result<Value, Reason = Failure> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: Reason };

export function ok<Value>(value: Value): { readonly ok: true; readonly value: Value } {
  return { ok: true, value };
}

export function failed<Reason>(error: Reason): { readonly ok: false; readonly error: Reason } {
  return { ok: false, error };
}

/** Read the `error` object that every door of the server uses; anything else becomes `internal`. */
export function refusedFrom(body: unknown): Refused {
  const { code, message, field } = isRecord(body) ? body : {};
  return {
    kind: "refused",
    code: typeof code === "string" ? code : "internal",
    message: typeof message === "string" ? message : "Something went wrong on the server.",
    field: typeof field === "string" ? field : null,
  };
}

const TRANSIENT: ReadonlySet<string> = new Set([
  "media-unavailable",
  "outcome-unknown",
  "rate-limited",
  "database-unavailable",
] satisfies ErrorCode[]);

/** Whether asking again later, or over another door, can help. */
export function isTransient(error: Failure): boolean {
  if (error.kind !== "refused") return error.kind !== "media-failed";
  return TRANSIENT.has(error.code);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
