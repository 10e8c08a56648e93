/**
 * Sends of each track what somebody wants: layers that no viewer is shown rest, and are back when they are asked for.
 *
 * A sender's parameters are changed one change after the other, since each must begin with what the last one left.
 */

import type { Layers, TrackKind } from "./catalogue.js";
import { cameraLayers } from "./layers.js";

export class Demand {
  readonly #sender: (kind: TrackKind) => RTCRtpSender | undefined;
  readonly #wanted = new Map<TrackKind, Layers>();
  readonly #changes = new Map<TrackKind, Promise<void>>();

  constructor(sender: (kind: TrackKind) => RTCRtpSender | undefined) {
    this.#sender = sender;
  }

  /** The server says what of a track is wanted; until it does, all of it is. */
  handleLayers(layers: Layers): void {
    this.#wanted.set(layers.track, layers);
    void this.fit(layers.track);
  }

  /** Bring a sender in line with its track's size and with what is wanted. Costs no negotiation. */
  fit(kind: TrackKind): Promise<void> {
    const before = this.#changes.get(kind) ?? Promise.resolve();
    // A closed peer refuses; then there is nothing to fit.
    const change = before.then(() => this.#fit(kind)).catch(() => undefined);
    this.#changes.set(kind, change);
    return change;
  }

  async #fit(kind: TrackKind): Promise<void> {
    const sender = this.#sender(kind);
    if (sender === undefined) return;
    const { width, height } = sender.track?.getSettings() ?? {};
    const layers = kind === "camera" ? cameraLayers(width, height) : [];
    const parameters = sender.getParameters();
    let changed = false;
    for (const encoding of parameters.encodings) {
      const layer = layers.find(({ rid }) => rid === encoding.rid);
      const active = (layer?.active ?? true) && this.#wants(kind, encoding.rid);
      const scale = layer?.scaleResolutionDownBy ?? encoding.scaleResolutionDownBy;
      if (encoding.active === active && encoding.scaleResolutionDownBy === scale) continue;
      Object.assign(encoding, layer, { active });
      changed = true;
    }
    if (changed) await sender.setParameters(parameters);
  }

  #wants(kind: TrackKind, rid: string | undefined): boolean {
    const wanted = this.#wanted.get(kind);
    if (wanted === undefined) return true;
    return wanted.rids.length === 0 || rid === undefined ? wanted.wanted : wanted.rids.includes(rid);
  }
}
