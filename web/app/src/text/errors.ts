/** What went wrong, as sentences that say what to do. */

import type { CaptureKind, DeviceProblem, ErrorCode, Failure, SessionEnded } from "@tertulia/client";

import { durationText } from "./time";

const BY_CODE: Partial<Record<ErrorCode, string>> = {
  "account-banned": "This account was banned. Ask an administrator of this server why.",
  "chat-not-granted": "You may not write in this room.",
  "credentials-wrong": "The address or the password is wrong.",
  "email-invalid": "That does not look like an e-mail address.",
  "email-taken": "There is an account with this address already.",
  "email-unverified": "The provider has not verified your address. Verify it there, or log in with a password.",
  "guests-disabled": "This server does not let guests in. Ask whoever invited you for a personal link.",
  internal: "Something went wrong on the server. Please try again.",
  "last-owner": "Somebody has to stay owner. Make somebody else one first.",
  "link-invalid": "This link was used already, has expired, or is not complete. Ask for a new one.",
  "mail-missing": "This server sends no mail: name the address of whoever you invite.",
  "media-missing": "The server has no media service running.",
  "media-unavailable": "The server cannot take another call right now. Try again in a moment.",
  "oauth-denied": "You were not let in there. Try again, or log in another way.",
  "oauth-failed": "That provider cannot be reached at the moment. Try again, or log in another way.",
  "oauth-link-needed": "There is an account with this address already. Log in with its password.",
  "oauth-state-invalid": "That log-in did not begin in this browser, or took too long. Begin it again.",
  "publish-not-granted": "You may watch this room, but not send picture or sound.",
  "rate-limited": "That was a lot at once. Wait a few seconds and try again.",
  "registration-closed": "This server takes no new accounts that way. Ask an administrator for an invitation.",
  "right-missing": "Your role on this server does not allow that.",
  "robots-full": "There are enough robots in this room already.",
  "robots-unavailable": "This server cannot start robots right now.",
  "room-ended": "This room has been closed.",
  "room-full": "This room is full. Try again when somebody has left.",
  "room-not-found": "There is no such room. Check the link, or make a new room.",
  "second-factor-wrong": "That code is wrong, or was used before. Codes change every half minute.",
  "session-ended": "You were logged out. Log in again.",
  "token-missing": "You are not logged in. Log in first.",
  "database-unavailable": "The server cannot reach its database. Try again in a moment.",
  "text-too-long": "That message is too long. Send it in parts.",
  "token-expired": "Your invitation has expired. Join again.",
  "token-invalid": "Your invitation is not valid any more. Join again.",
};

export function failureText(error: Failure): string {
  switch (error.kind) {
    case "refused":
      if (error.retryAfterS !== undefined) return `That was too often. Try again in ${durationText(error.retryAfterS * 1000)}.`;
      return BY_CODE[error.code as ErrorCode] ?? error.message;
    case "offline":
      return "The server cannot be reached. Check your connection and try again.";
    case "timed-out":
      return "The server did not answer in time. Please try again.";
    case "media-failed":
      return "Your browser could not set up the call. Update it, or try another browser.";
  }
}

const ENDED: Record<SessionEnded["code"], string> = {
  expired: "Your invitation has expired.",
  removed: "You were removed from the room.",
  "logged-out": "You were logged out, here or on another device. Log in to come back.",
  replaced: "You joined this room in another window, so this one has left.",
  "room-ended": "The room has been closed for everybody.",
  shutdown: "The server is restarting.",
};

export function endedText(code: SessionEnded["code"]): string {
  return ENDED[code];
}

const DEVICE: Record<CaptureKind, string> = { microphone: "microphone", camera: "camera", screen: "screen" };

/** What stands in the way of both; two sentences where it is not the same for both. */
export function problemTexts(microphone: DeviceProblem | null, camera: DeviceProblem | null): string[] {
  if (microphone?.kind === "denied" && camera?.kind === "denied") {
    return ["Your camera and microphone are blocked. Click the icon left of the address, allow both, then try again."];
  }
  return [
    camera === null ? "" : problemText("camera", camera),
    microphone === null ? "" : problemText("microphone", microphone),
  ].filter((text) => text !== "");
}

export function problemText(kind: CaptureKind, problem: DeviceProblem): string {
  const device = DEVICE[kind];
  switch (problem.kind) {
    case "denied":
      return `Your ${device} is blocked. Click the icon left of the address, allow the ${device}, then try again.`;
    case "missing":
      return `No ${device} was found. Plug one in and try again.`;
    case "busy":
      return `Your ${device} is used by another program. Close it there and try again.`;
    case "unplugged":
      return `Your ${device} was unplugged. Plug it in again or choose another.`;
    case "insecure":
      return `Browsers give the ${device} to secure pages only. Open this page with https:// or on localhost.`;
    case "unsupported":
      return kind === "screen" ? "This browser cannot share a screen." : `This browser cannot use your ${device}.`;
    case "cancelled":
      return "";
  }
}
