// When a flash is shown and a click is heard: the picture read at each presented frame, the sound in an AudioWorklet, both
// on the clock of performance.now(). `watch(find, audioTrack)` returns {flashes, clicks, stop}; times in milliseconds.
window.__sync = (() => {
  const WORKLET = `
    registerProcessor("clicks", class extends AudioWorkletProcessor {
      constructor() {
        super();
        this.quiet = 0;
      }
      process([[samples]]) {
        if (samples === undefined) return true;
        for (let i = 0; i < samples.length; i++) {
          if (Math.abs(samples[i]) > 0.1) {
            // The first loud sample after a tenth of a second of silence is where a click begins.
            if (this.quiet > sampleRate / 10) this.port.postMessage(currentTime + i / sampleRate);
            this.quiet = 0;
          } else {
            this.quiet += 1;
          }
        }
        return true;
      }
    });`;
  const canvas = document.createElement("canvas");
  canvas.width = 8;
  canvas.height = 8;
  const painter = canvas.getContext("2d", { willReadFrequently: true });
  const isWhite = (video) => {
    painter.drawImage(video, 0, 0, 8, 8);
    const { data } = painter.getImageData(0, 0, 8, 8);
    let sum = 0;
    for (let i = 0; i < data.length; i += 4) sum += data[i];
    return sum / 64 > 128;
  };

  const watch = async (find, audioTrack) => {
    const seen = { flashes: [], clicks: [], stop: null };
    let active = true;
    let lit = false;
    let watched = null;
    // The page makes another element for another participant: whichever is there is watched.
    const follow = () => {
      const video = find();
      if (!active || video === watched || video === null) return;
      watched = video;
      const look = (_, metadata) => {
        if (!active || watched !== video) return;
        const now = isWhite(video);
        if (now && !lit) seen.flashes.push(metadata.expectedDisplayTime);
        lit = now;
        video.requestVideoFrameCallback(look);
      };
      video.requestVideoFrameCallback(look);
    };
    const timer = setInterval(follow, 50);
    follow();
    const context = new AudioContext();
    await context.resume();
    const module = URL.createObjectURL(new Blob([WORKLET], { type: "text/javascript" }));
    await context.audioWorklet.addModule(module);
    const worklet = new AudioWorkletNode(context, "clicks");
    worklet.port.onmessage = ({ data }) => {
      const { contextTime, performanceTime } = context.getOutputTimestamp();
      seen.clicks.push(performanceTime + (data - contextTime) * 1000);
    };
    const source = context.createMediaStreamSource(new MediaStream([audioTrack]));
    source.connect(worklet).connect(context.destination);
    seen.stop = async () => {
      active = false;
      clearInterval(timer);
      await context.close();
    };
    return seen;
  };

  // The same detectors on a direct call inside this page, from one peer connection to another: what the clapperboard, the
  // browser's own buffers and the detectors are off by without any server.
  const calibrate = async (settleMs, ms) => {
    const context = new AudioContext();
    await context.resume();
    const stream = window.__clap(context);
    const [from, to] = [new RTCPeerConnection(), new RTCPeerConnection()];
    from.onicecandidate = ({ candidate }) => to.addIceCandidate(candidate ?? undefined);
    to.onicecandidate = ({ candidate }) => from.addIceCandidate(candidate ?? undefined);
    for (const track of stream.getTracks()) from.addTrack(track, stream);
    await from.setLocalDescription();
    await to.setRemoteDescription(from.localDescription);
    await to.setLocalDescription();
    await from.setRemoteDescription(to.localDescription);
    const received = (kind) => to.getReceivers().find(({ track }) => track.kind === kind).track;
    const [video, sound] = [document.createElement("video"), new Audio()];
    video.muted = true;
    video.srcObject = new MediaStream([received("video")]);
    sound.srcObject = new MediaStream([received("audio")]);
    document.body.append(video);
    await Promise.all([video.play(), sound.play()]);
    const seen = await watch(() => video, received("audio"));
    await new Promise((done) => setTimeout(done, settleMs));
    seen.flashes = [];
    seen.clicks = [];
    await new Promise((done) => setTimeout(done, ms));
    await seen.stop();
    video.remove();
    from.close();
    to.close();
    await context.close();
    return { flashes: seen.flashes, clicks: seen.clicks };
  };

  // How far apart the browser itself believes to play what belongs together: positive when sound is later.
  const believed = async () => {
    const played = (await window.tertulia.stats()).filter(({ type }) => type === "inbound-rtp");
    const at = (kind) => played.find((entry) => entry.kind === kind && entry.estimatedPlayoutTimestamp)?.estimatedPlayoutTimestamp;
    return at("video") === undefined || at("audio") === undefined ? null : at("video") - at("audio");
  };

  let current = null;
  const start = async () => {
    const [audio] = window.tertulia.audioTracks();
    current = await watch(() => document.querySelector("video[data-participant]"), audio.mediaTrack);
  };
  const take = () => {
    const { flashes, clicks } = current;
    current.flashes = [];
    current.clicks = [];
    return { flashes, clicks };
  };
  return { start, take, calibrate, believed };
})();
