/** Shows that the microphone hears something. Drawn outside of React: sixty times a second is no state. */

import { useEffect, useRef, type ReactNode } from "react";

export function LevelMeter({ track }: { readonly track: MediaStreamTrack | null }): ReactNode {
  const bar = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = bar.current;
    if (track === null || element === null) return;
    return measure(track, (level) => element.style.setProperty("--level", level.toFixed(3)));
  }, [track]);
  return (
    <div className="meter" aria-hidden="true" data-off={track === null}>
      <div className="meter-bar" ref={bar} />
    </div>
  );
}

/** Calls `show` with 0 (silence) to 1 (loud) until stopped. */
function measure(track: MediaStreamTrack, show: (level: number) => void): () => void {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 512;
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let shown = 0;
  let frame = requestAnimationFrame(function draw() {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    // -60 dB to 0 dB; falls slower than it rises, as ears do.
    const level = Math.min(1, Math.max(0, 1 + (10 * Math.log10(power + 1e-9)) / 60));
    shown = Math.max(level, shown - 0.02);
    show(shown);
    frame = requestAnimationFrame(draw);
  });
  return () => {
    cancelAnimationFrame(frame);
    show(0);
    void context.close();
  };
}
