/**
 * `window.tertulia`, only with `?debug` in the address: lets tests and the curious look into a call.
 *
 * `?debug&seats=1&audioSlots=1` also chooses how many slots are offered.
 */

import { socketIo, type Environment, type Room, type SlotPlan, type Want } from "@tertulia/client";

import type { Visit } from "./visit";

interface Debug {
  readonly room: Room;
  state(): string;
  identity(): string | null;
  participants(): readonly { readonly id: string; readonly name: string }[];
  counts(): Record<string, number>;
  steps(): Record<string, number>;
  audioTracks(): { participant: string; track: string; mediaTrack: MediaStreamTrack }[];
  stats(): Promise<unknown[]>;
  /** Ask for these seats from now on, whatever the page would ask for. */
  setView(seats: Want[]): void;
  /** The socket swallows what is sent from now on. */
  disableSocketSend(): void;
}

declare global {
  interface Window {
    tertulia?: Debug;
  }
}

const parameters = new URLSearchParams(location.search);
let socketSends = true;

export function isDebug(): boolean {
  return parameters.has("debug");
}

export function debugPlan(plan: SlotPlan): SlotPlan {
  const number = (name: string, otherwise: number): number => {
    const text = isDebug() ? parameters.get(name) : null;
    return text !== null && /^\d{1,2}$/.test(text) ? Number(text) : otherwise;
  };
  return { seats: number("seats", plan.seats), audioOnly: number("audioSlots", plan.audioOnly) };
}

export function debugEnvironment(): Partial<Environment> {
  if (!isDebug()) return {};
  const real = socketIo("");
  return {
    socket: (token) => {
      const socket = real(token);
      const timeout = socket.timeout.bind(socket);
      socket.timeout = (ms) => {
        const sender = timeout(ms);
        return { emit: (...request) => (socketSends ? sender.emit(...request) : undefined) };
      };
      return socket;
    },
  };
}

export function installDebug({ room }: Visit): void {
  socketSends = true;
  window.tertulia = {
    room,
    state: () => overallState(room),
    identity: () => room.roster.you?.id ?? null,
    participants: () => (room.roster.you === null ? [] : [room.roster.you, ...room.roster.others]),
    counts: () => ({ ...room.session.media?.counts, ...room.doors.counts }),
    steps: () => room.timeline.steps,
    audioTracks: () =>
      room.seats.slots.flatMap(({ kind, participant, track, media }) =>
        kind === "audio" && participant !== null && track !== null ? [{ participant, track, mediaTrack: media }] : [],
      ),
    stats: async () => Array.from((await room.session.media?.stats()) ?? [], ([, entry]) => entry as unknown),
    setView: (seats) => room.viewer.pin({ seats: seats.map((seat) => ({ width: 640, height: 360, ...seat })) }),
    disableSocketSend: () => {
      socketSends = false;
    },
  };
}

function overallState(room: Room): string {
  if (room.state.kind !== "joined") return room.state.kind;
  const { state } = room.connection;
  return state === "connected" ? (room.session.media?.state ?? "new") : state;
}
