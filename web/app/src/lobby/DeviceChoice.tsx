/** Which camera, which microphone, and whether the microphone hears anything. */

import type { DeviceKind } from "@tertulia/client";
import type { ReactNode } from "react";

import { Select } from "../ui/controls";
import { useObserved } from "../ui/hooks";
import type { Visit } from "../visit";
import { LevelMeter } from "./LevelMeter";

const LABELS: Record<DeviceKind, string> = { microphone: "Microphone", camera: "Camera" };

export function DeviceChoice({ visit }: { readonly visit: Visit }): ReactNode {
  const { publisher } = visit.room;
  const track = useObserved(publisher, "change", () => publisher.track("microphone"));
  const isMuted = useObserved(publisher, "change", () => publisher.muted("microphone"));
  return (
    <div className="devices">
      <DeviceSelect visit={visit} kind="microphone" />
      <LevelMeter track={isMuted ? null : track} />
      <DeviceSelect visit={visit} kind="camera" />
    </div>
  );
}

function DeviceSelect({ visit, kind }: { readonly visit: Visit; readonly kind: DeviceKind }): ReactNode {
  const { devices, capture } = visit;
  const lists = useObserved(devices, "change", () => devices.lists);
  const isBlocked = useObserved(capture, "change", () => capture.problem(kind)?.kind === "denied");
  const chosen = useObserved(devices, "change", () => devices.chosen(kind));
  const choices = lists[kind].map(({ id, label }, index) => ({ id, label: label || `${LABELS[kind]} ${index + 1}` }));
  const current = choices.some(({ id }) => id === chosen) ? chosen : (choices[0]?.id ?? null);
  return (
    <Select
      label={LABELS[kind]}
      choices={choices}
      chosen={current}
      placeholder={isBlocked ? "Blocked" : choices.length === 0 ? "None found" : "Choose"}
      onChoose={(id) => void capture.choose(kind, id)}
      testId={`choose-${kind}`}
    />
  );
}
