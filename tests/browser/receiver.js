// Reads what a page really shows and plays: the number spelled in each picture, and the strongest tone of each sound.
window.__receiver = (() => {
  const canvas = document.createElement("canvas");
  canvas.width = 32;
  canvas.height = 16;
  const context = canvas.getContext("2d", { willReadFrequently: true });

  // The number and counter spelled in a video element's present picture; null if it spells nothing.
  const read = (video) => {
    if (video.readyState < 2 || !video.videoWidth) return null;
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const row = (index) => {
      let bits = 0;
      for (let column = 0; column < 8; column++) {
        const x = column * 4 + 2;
        const y = index * 4 + 2;
        bits = (bits << 1) | (data[(y * canvas.width + x) * 4] > 127 ? 1 : 0);
      }
      return bits;
    };
    const [id, notId, counter, notCounter] = [row(0), row(1), row(2), row(3)];
    if ((id ^ notId) !== 255 || (counter ^ notCounter) !== 255) return null;
    return { id, counter };
  };

  const visible = (video) => {
    for (let node = video; node; node = node.parentElement) {
      const style = getComputedStyle(node);
      if (style.visibility === "hidden" || style.display === "none" || Number(style.opacity) < 0.05) return false;
    }
    return true;
  };

  // All remote pictures that a person could see now: [{participant, track, id, counter}].
  const pictures = () =>
    [...document.querySelectorAll("video[data-participant]")]
      .filter((video) => visible(video))
      .map((video) => ({
        participant: video.dataset.participant,
        track: video.dataset.track,
        width: video.videoWidth,
        height: video.videoHeight,
        ...(read(video) ?? { id: null, counter: null }),
      }));

  // Watches every presented frame; a frame that spells another number than its label's is kept as evidence.
  const watch = (numbers) => {
    const seen = { frames: 0, wrong: [] };
    const tick = () => {
      for (const picture of pictures()) {
        if (picture.id === null) continue;
        seen.frames += 1;
        const expected = numbers[picture.participant] + (picture.track === "screen" ? 128 : 0);
        if (picture.id !== expected && seen.wrong.length < 20) seen.wrong.push({ ...picture, expected });
      }
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
    return seen;
  };

  // The strongest frequency (Hz) in a track over a quarter of a second, or 0 for silence.
  const tone = async (track) => {
    const audio = new AudioContext();
    await audio.resume();
    const source = audio.createMediaStreamSource(new MediaStream([track]));
    const analyser = audio.createAnalyser();
    analyser.fftSize = 8192;
    analyser.smoothingTimeConstant = 0;
    source.connect(analyser);
    const bins = new Float32Array(analyser.frequencyBinCount);
    await new Promise((done) => setTimeout(done, 300));
    analyser.getFloatFrequencyData(bins);
    await audio.close();
    let best = 0;
    bins.forEach((level, bin) => {
      if (level > bins[best]) best = bin;
    });
    return bins[best] < -70 ? 0 : (best * audio.sampleRate) / analyser.fftSize;
  };

  return { pictures, read, watch, tone };
})();
