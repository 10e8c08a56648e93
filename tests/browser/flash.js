// Replaces camera and microphone by one clapperboard: a white flash in a black picture and a click, at the same moment, once
// a second. `window.__identity` may name another period {flashMs}.
(() => {
  const WIDTH = 640;
  const HEIGHT = 360;
  const FPS = 30;
  const FLASH_MS = 130;
  const CLICK_S = 0.04;
  const { flashMs = 1000 } = window.__identity;

  const clap = (context) => {
    const canvas = document.createElement("canvas");
    canvas.width = WIDTH;
    canvas.height = HEIGHT;
    const painter = canvas.getContext("2d");
    const video = canvas.captureStream(FPS);
    const destination = context.createMediaStreamDestination();
    const gain = context.createGain();
    gain.gain.value = 0;
    const oscillator = context.createOscillator();
    oscillator.frequency.value = 1500;
    oscillator.connect(gain).connect(destination);
    oscillator.start();
    let next = performance.now() + flashMs;
    let until = 0;
    let frame = 0;
    setInterval(() => {
      const now = performance.now();
      if (now >= next) {
        next += flashMs;
        until = now + FLASH_MS;
        gain.gain.setValueAtTime(0.5, context.currentTime);
        gain.gain.setValueAtTime(0, context.currentTime + CLICK_S);
      }
      painter.fillStyle = now < until ? "#fff" : "#000";
      painter.fillRect(0, 0, WIDTH, HEIGHT);
      // Something must move, or nothing is captured and sent.
      painter.fillStyle = "#444";
      painter.fillRect((frame * 8) % WIDTH, HEIGHT - 16, 16, 16);
      frame += 1;
    }, 1000 / FPS);
    return new MediaStream([...video.getVideoTracks(), ...destination.stream.getAudioTracks()]);
  };

  window.__clap = clap;
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    const context = new AudioContext();
    await context.resume();
    const stream = clap(context);
    const tracks = [];
    if (constraints.audio) tracks.push(...stream.getAudioTracks());
    if (constraints.video) tracks.push(...stream.getVideoTracks());
    return new MediaStream(tracks);
  };
})();
