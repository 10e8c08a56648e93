/** Turns microphone, camera and screen on and off: between the devices and what is published. */

import type { TrackKind } from "./catalogue.js";
import type { DeviceKind, DeviceProblem, Devices } from "./devices.js";
import { Emitter } from "./emitter.js";
import type { Publisher } from "./publisher.js";
import type { Result } from "./result.js";

export type CaptureKind = DeviceKind | "screen";

interface CaptureEvents {
  change: [];
  /** A device went away, or something could not be opened. */
  problem: [kind: CaptureKind, problem: DeviceProblem];
}

export class Capture extends Emitter<CaptureEvents> {
  readonly #devices: Devices;
  readonly #publisher: Publisher;
  readonly #problems = new Map<CaptureKind, DeviceProblem>();
  readonly #opening = new Set<CaptureKind>();

  constructor(devices: Devices, publisher: Publisher) {
    super();
    this.#devices = devices;
    this.#publisher = publisher;
    publisher.on("change", () => this.emit("change"));
    publisher.on("ended", (kind) => this.#handleEnded(kind));
  }

  isOn(kind: CaptureKind): boolean {
    return !this.#publisher.muted(kind);
  }

  isOpening(kind: CaptureKind): boolean {
    return this.#opening.has(kind);
  }

  /** Why it could not be opened last time; null if it could, or was not tried. */
  problem(kind: CaptureKind): DeviceProblem | null {
    return this.#problems.get(kind) ?? null;
  }

  async turnOn(kind: CaptureKind): Promise<void> {
    if (this.isOn(kind) || this.#opening.has(kind)) return;
    if (kind === "microphone" && this.#publisher.track(kind) !== null) {
      this.#publisher.setMuted(kind, false);
      return;
    }
    this.#opening.add(kind);
    this.#problems.delete(kind);
    this.emit("change");
    await (kind === "screen" ? this.#openScreen() : this.#openDevice(kind));
    this.#opening.delete(kind);
    this.emit("change");
  }

  /** Microphone and camera together, for a lobby. */
  async turnOnBoth(): Promise<void> {
    const kinds = ["microphone", "camera"] as const;
    for (const kind of kinds) this.#opening.add(kind);
    this.emit("change");
    const opened = await this.#devices.openBoth();
    for (const kind of kinds) {
      this.#opening.delete(kind);
      this.#handleOpened(kind, opened[kind]);
    }
    this.emit("change");
  }

  /** The microphone stays open, to be back at once; camera and screen are let go, so that their lights go out. */
  turnOff(kind: CaptureKind): void {
    if (kind === "microphone") return this.#publisher.setMuted(kind, true);
    this.#publisher.set(kind, null);
    if (kind === "screen") this.#publisher.set("screen-audio", null);
  }

  async toggle(kind: CaptureKind): Promise<void> {
    if (this.isOn(kind)) this.turnOff(kind);
    else await this.turnOn(kind);
  }

  /** Use another device from now on, and at once if it is in use. */
  async choose(kind: DeviceKind, id: string): Promise<void> {
    this.#devices.choose(kind, id);
    if (this.#publisher.track(kind) === null) return;
    const muted = this.#publisher.muted(kind);
    // Some systems let a device be open only once, and the new one may be a part of the old.
    this.#publisher.set(kind, null);
    await this.turnOn(kind);
    if (muted) this.turnOff(kind);
  }

  async #openDevice(kind: DeviceKind): Promise<void> {
    this.#handleOpened(kind, await this.#devices.open(kind));
  }

  #handleOpened(kind: DeviceKind, opened: Result<MediaStreamTrack, DeviceProblem>): void {
    if (opened.ok) {
      this.#problems.delete(kind);
      if (kind === "camera") opened.value.contentHint = "motion";
      this.#publisher.set(kind, opened.value);
    } else {
      this.#fail(kind, opened.error);
    }
  }

  async #openScreen(): Promise<void> {
    const opened = await this.#devices.openScreen();
    if (!opened.ok) {
      this.#fail("screen", opened.error);
      return;
    }
    for (const track of opened.value) {
      // Text stays sharp at the expense of frames, not the other way round.
      if (track.kind === "video") track.contentHint = "detail";
      this.#publisher.set(track.kind === "video" ? "screen" : "screen-audio", track);
    }
  }

  #fail(kind: CaptureKind, problem: DeviceProblem): void {
    // Closing the browser's picker is a choice, not a problem.
    if (problem.kind === "cancelled") return;
    this.#problems.set(kind, problem);
    this.emit("problem", kind, problem);
  }

  #handleEnded(kind: TrackKind): void {
    if (kind === "screen") this.#publisher.set("screen-audio", null);
    if (kind === "microphone" || kind === "camera") this.#fail(kind, { kind: "unplugged" });
  }
}
