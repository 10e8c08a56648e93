/** One visit to a room, from the lobby to leaving: the client's room with the devices that feed it. */

import {
  Api,
  Capture,
  Devices,
  Room,
  failed,
  ok,
  type Environment,
  type Result,
  type RoomToken,
  type SlotPlan,
  type VideoCodec,
} from "@tertulia/client";

import { session } from "./account/session";
import { Order } from "./call/order";
import { debugEnvironment, debugPlan, installDebug, isDebug } from "./debug";
import { memory } from "./memory";
import { Tokens } from "./tokens";

const DESKTOP: SlotPlan = { seats: 9, audioOnly: 3 };
const PHONE: SlotPlan = { seats: 4, audioOnly: 3 };
/** TURN is for those who need it; nobody waits long for it. */
const ICE_SERVERS_MS = 1_500;

export interface Visit {
  readonly id: string;
  readonly room: Room;
  readonly devices: Devices;
  readonly capture: Capture;
  readonly plan: SlotPlan;
  readonly order: Order;
  /** Gets ready to join under this name, as far as that can be done before it is wanted. */
  prepare(name: string): Promise<void>;
  join(name: string): Promise<Result<null>>;
}

/** Whoever is logged in comes into rooms as themselves. */
export const api = new Api("", session.fetch);

export function startVisit(id: string): Visit {
  const tokens = new Tokens(api, id);
  const plan = debugPlan(matchMedia("(max-width: 700px)").matches ? PHONE : DESKTOP);
  let name = "";
  let videoCodec: VideoCodec = "vp8";
  const obtain = async (fresh = false): Promise<Result<RoomToken>> => {
    const made = await tokens.obtain(name, fresh);
    if (made.ok) videoCodec = made.value.video_codec;
    return made;
  };
  const token = async (fresh: boolean): Promise<string> => {
    const made = await obtain(fresh);
    return made.ok ? made.value.token : "";
  };
  const environment: Partial<Environment> = debugEnvironment();
  const room = new Room({
    room: id,
    token,
    plan,
    videoCodec: () => videoCodec,
    iceServers: () => iceServers(token),
    environment,
  });
  const devices = new Devices(navigator.mediaDevices, memory);
  const visit: Visit = {
    id,
    room,
    devices,
    capture: new Capture(devices, room.publisher),
    plan,
    order: new Order(room.roster, room.speakers),
    async prepare(chosen) {
      name = chosen;
      const made = await obtain();
      if (made.ok) room.prepare();
    },
    async join(chosen) {
      name = chosen;
      room.timeline.start();
      // A refusal here has a code that says more than a refused socket.
      const made = await obtain();
      if (!made.ok) return failed(made.error);
      const joined = await room.join();
      return joined.ok ? ok(null) : failed(joined.error);
    },
  };
  if (isDebug()) installDebug(visit);
  return visit;
}

async function iceServers(token: (fresh: boolean) => Promise<string>): Promise<RTCIceServer[]> {
  const late = new Promise<null>((resolve) => void setTimeout(() => resolve(null), ICE_SERVERS_MS));
  const answer = await Promise.race([token(false).then((text) => api.iceServers(text)), late]);
  if (!answer?.ok) return [];
  return answer.value.map(({ urls, username, credential }) => {
    const server: RTCIceServer = { urls };
    if (username !== null) server.username = username;
    if (credential !== null) server.credential = credential;
    return server;
  });
}
