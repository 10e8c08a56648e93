/** One's own picture before joining, with the two switches that matter. */

import type { ReactNode } from "react";

import { MyVideo } from "../call/MyVideo";
import { problemTexts } from "../text/errors";
import { Avatar } from "../ui/Avatar";
import { IconButton } from "../ui/controls";
import { useObserved } from "../ui/hooks";
import { CameraIcon, CameraOffIcon, MicIcon, MicOffIcon } from "../ui/icons";
import type { Visit } from "../visit";

export function Preview({ visit, name }: { readonly visit: Visit; readonly name: string }): ReactNode {
  const { capture, room } = visit;
  const hasMicrophone = useObserved(capture, "change", () => capture.isOn("microphone"));
  const hasCamera = useObserved(capture, "change", () => capture.isOn("camera"));
  const isOpening = useObserved(capture, "change", () => capture.isOpening("camera"));
  const microphoneProblem = useObserved(capture, "change", () => capture.problem("microphone"));
  const cameraProblem = useObserved(capture, "change", () => capture.problem("camera"));
  const problems = problemTexts(microphoneProblem, cameraProblem);

  return (
    <section className="preview" aria-label="How the others will see you">
      <div className="preview-picture">
        {hasCamera ? <MyVideo publisher={room.publisher} kind="camera" /> : <Avatar name={name} id={name} />}
        {!hasCamera && <p className="preview-words">{isOpening ? "Starting your camera…" : "Your camera is off"}</p>}
        <div className="preview-switches">
          <IconButton
            label={hasMicrophone ? "Turn microphone off" : "Turn microphone on"}
            look="control"
            icon={hasMicrophone ? <MicIcon /> : <MicOffIcon />}
            isWarning={!hasMicrophone}
            onPress={() => void capture.toggle("microphone")}
            testId="lobby-mic"
          />
          <IconButton
            label={hasCamera ? "Turn camera off" : "Turn camera on"}
            look="control"
            icon={hasCamera ? <CameraIcon /> : <CameraOffIcon />}
            isWarning={!hasCamera}
            onPress={() => void capture.toggle("camera")}
            testId="lobby-camera"
          />
        </div>
      </div>
      {problems.length > 0 && (
        <div className="help" role="status" data-testid="device-help">
          {problems.map((text) => (
            <p key={text}>{text}</p>
          ))}
          <p className="help-note">You can join without, and turn it on later.</p>
        </div>
      )}
    </section>
  );
}
