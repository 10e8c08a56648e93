// Measures how a call looks and sounds in a page: every presented frame of every remote camera, read from its pixels, and
// what the browser itself counts (getStats). `start()` begins, `stop()` returns what was seen since; times in milliseconds.
window.__meter = (() => {
  const SAMPLE_MS = 250;
  const COUNTED = [
    "framesDecoded", "framesDropped", "freezeCount", "totalFreezesDuration", "keyFramesDecoded", "bytesReceived",
    "packetsReceived", "packetsLost", "nackCount", "pliCount", "retransmittedPacketsReceived", "fecPacketsReceived",
    "concealedSamples", "silentConcealedSamples", "totalSamplesReceived", "jitterBufferDelay", "jitterBufferEmittedCount",
  ];
  let running = null;

  const inbound = async () => {
    const found = {};
    for (const entry of await window.tertulia.stats()) {
      if (entry.type !== "inbound-rtp") continue;
      const numbers = Object.fromEntries(COUNTED.map((name) => [name, entry[name] ?? 0]));
      found[entry.id] = { kind: entry.kind, ssrc: entry.ssrc, mid: entry.mid, ...numbers };
    }
    return found;
  };

  // Frames that this page's camera gave and that its best layer became: more can arrive nowhere.
  const sent = async () => {
    const found = { camera: 0, encoded: 0 };
    for (const entry of await window.tertulia.stats()) {
      if (entry.kind !== "video") continue;
      if (entry.type === "media-source") found.camera += entry.frames ?? 0;
      if (entry.type === "outbound-rtp") found.encoded = Math.max(found.encoded, entry.framesEncoded ?? 0);
    }
    return found;
  };

  // What holds this page's encoder back: {reason: seconds}, summed over the layers.
  const limited = async () => {
    const seconds = {};
    for (const entry of await window.tertulia.stats()) {
      if (entry.type !== "outbound-rtp" || entry.kind !== "video") continue;
      for (const [reason, time] of Object.entries(entry.qualityLimitationDurations ?? {})) {
        seconds[reason] = (seconds[reason] ?? 0) + time;
      }
    }
    return seconds;
  };

  const watch = (video, run) => {
    const frames = [];
    run.videos.push({ participant: video.dataset.participant, frames });
    const look = (now, metadata) => {
      if (!run.active) return;
      const seen = window.__receiver.read(video);
      frames.push([now, metadata.height, seen === null ? -1 : seen.counter]);
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  };

  const start = async () => {
    const run = { active: true, begun: performance.now(), videos: [], samples: [] };
    run.before = await inbound();
    run.limitedBefore = await limited();
    run.sentBefore = await sent();
    for (const video of document.querySelectorAll('video[data-participant][data-track="camera"]')) watch(video, run);
    run.timer = setInterval(async () => {
      const now = performance.now();
      const entries = Object.values(await inbound());
      run.samples.push([now - run.begun, entries.reduce((sum, entry) => sum + entry.bytesReceived, 0)]);
    }, SAMPLE_MS);
    running = run;
  };

  const stop = async () => {
    const run = running;
    run.active = false;
    clearInterval(run.timer);
    const after = await inbound();
    const limitedAfter = await limited();
    const sentAfter = await sent();
    const streams = Object.entries(after).map(([id, entry]) => {
      const before = run.before[id] ?? {};
      const counted = Object.fromEntries(COUNTED.map((name) => [name, entry[name] - (before[name] ?? 0)]));
      return { kind: entry.kind, mid: entry.mid, ...counted };
    });
    const reasons = Object.entries(limitedAfter).map(([reason, s]) => [reason, s - (run.limitedBefore[reason] ?? 0)]);
    return {
      ms: performance.now() - run.begun,
      videos: run.videos.map(({ participant, frames }) => ({
        participant,
        frames: frames.map(([now, height, counter]) => [now - run.begun, height, counter]),
      })),
      streams,
      samples: run.samples,
      limited: Object.fromEntries(reasons),
      sent: {
        camera: sentAfter.camera - run.sentBefore.camera,
        encoded: sentAfter.encoded - run.sentBefore.encoded,
      },
    };
  };

  return { start, stop };
})();
