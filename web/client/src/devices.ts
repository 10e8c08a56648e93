/** Cameras, microphones and screens: which there are, which was chosen last, and why one cannot be had. */

import { Emitter } from "./emitter.js";
import { failed, ok, type Result } from "./result.js";

export type DeviceKind = "microphone" | "camera";

/**
 * `denied` by the person or the system, `missing`, `busy` in another program, `unplugged` while in use, `insecure` page,
 * `unsupported` browser; `cancelled` when the person closed the browser's picker.
 */
export interface DeviceProblem {
  readonly kind: "denied" | "missing" | "busy" | "unplugged" | "insecure" | "unsupported" | "cancelled";
}

export interface Device {
  readonly id: string;
  readonly label: string;
}

export interface DeviceLists {
  readonly microphone: readonly Device[];
  readonly camera: readonly Device[];
}

/** Where choices are remembered; `localStorage` fits. */
export type Memory = Pick<Storage, "getItem" | "setItem">;

interface DevicesEvents {
  change: [];
}

const INPUT: Record<DeviceKind, MediaDeviceKind> = { microphone: "audioinput", camera: "videoinput" };

export class Devices extends Emitter<DevicesEvents> {
  readonly #media: MediaDevices | undefined;
  readonly #memory: Memory;
  #lists: DeviceLists = { microphone: [], camera: [] };

  /** @param media `navigator.mediaDevices`; undefined on a page that is not secure */
  constructor(media: MediaDevices | undefined, memory: Memory) {
    super();
    this.#media = media;
    this.#memory = memory;
    media?.addEventListener("devicechange", () => void this.refresh());
  }

  get lists(): DeviceLists {
    return this.#lists;
  }

  chosen(kind: DeviceKind): string | null {
    return this.#memory.getItem(`tertulia.${kind}`);
  }

  choose(kind: DeviceKind, id: string): void {
    this.#memory.setItem(`tertulia.${kind}`, id);
    this.emit("change");
  }

  /** Labels are known only once a permission was given. */
  async refresh(): Promise<void> {
    const found = (await this.#media?.enumerateDevices()) ?? [];
    const list = (kind: DeviceKind): Device[] =>
      found
        .filter((device) => device.kind === INPUT[kind] && device.deviceId !== "")
        .map((device) => ({ id: device.deviceId, label: device.label }));
    this.#lists = { microphone: list("microphone"), camera: list("camera") };
    this.emit("change");
  }

  async open(kind: DeviceKind): Promise<Result<MediaStreamTrack, DeviceProblem>> {
    if (this.#media === undefined) return failed({ kind: isSecure() ? "unsupported" : "insecure" });
    try {
      const id = this.chosen(kind);
      const stream = await this.#media.getUserMedia(constraints(kind, id));
      const track = stream.getTracks()[0];
      if (track === undefined) return failed({ kind: "missing" });
      await this.refresh();
      return ok(track);
    } catch (error) {
      return failed(problemOf(error));
    }
  }

  /** Both at once, so that the browser asks only once; each by itself where that fails. */
  async openBoth(): Promise<Readonly<Record<DeviceKind, Result<MediaStreamTrack, DeviceProblem>>>> {
    try {
      const both = { ...constraints("microphone", this.chosen("microphone")), ...constraints("camera", this.chosen("camera")) };
      const stream = await this.#media?.getUserMedia(both);
      const [microphone] = stream?.getAudioTracks() ?? [];
      const [camera] = stream?.getVideoTracks() ?? [];
      if (microphone !== undefined && camera !== undefined) {
        await this.refresh();
        return { microphone: ok(microphone), camera: ok(camera) };
      }
    } catch (error) {
      const problem = problemOf(error);
      if (problem.kind === "denied") return { microphone: failed(problem), camera: failed(problem) };
    }
    return { microphone: await this.open("microphone"), camera: await this.open("camera") };
  }

  /** Ask for a screen, a window or a tab, with its sound where the browser has it. */
  async openScreen(): Promise<Result<readonly MediaStreamTrack[], DeviceProblem>> {
    if (this.#media === undefined) return failed({ kind: isSecure() ? "unsupported" : "insecure" });
    // Phones have no getDisplayMedia, whatever the types say.
    if (!("getDisplayMedia" in this.#media)) return failed({ kind: "unsupported" });
    try {
      const stream = await this.#media.getDisplayMedia({
        video: { frameRate: { max: 30 }, width: { max: 1920 }, height: { max: 1200 } },
        audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
      });
      const tracks = stream.getTracks();
      // Text must stay readable: drop frames before pixels.
      for (const track of stream.getVideoTracks()) track.contentHint = "detail";
      return ok(tracks);
    } catch (error) {
      const problem = problemOf(error);
      return failed(problem.kind === "denied" ? { kind: "cancelled" } : problem);
    }
  }
}

function constraints(kind: DeviceKind, id: string | null): MediaStreamConstraints {
  // `ideal`, not `exact`: a remembered device that is gone must not stand in the way of another.
  const device = id === null ? {} : { deviceId: { ideal: id } };
  if (kind === "microphone") {
    return { audio: { ...device, echoCancellation: true, noiseSuppression: true, autoGainControl: true } };
  }
  return { video: { ...device, width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } } };
}

function problemOf(error: unknown): DeviceProblem {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return { kind: "denied" };
  if (name === "NotFoundError" || name === "OverconstrainedError") return { kind: "missing" };
  if (name === "NotReadableError" || name === "AbortError") return { kind: "busy" };
  return { kind: "unsupported" };
}

function isSecure(): boolean {
  return typeof isSecureContext === "undefined" || isSecureContext;
}
