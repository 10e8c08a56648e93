// Replaces camera, microphone and screen in a page by sources whose content proves where they came from: a picture
// that spells the sender's number and a frame counter in black and white blocks, and a tone of the sender's own.
// `window.__identity` is set before this script runs: {number, tone} (number 1..255, tone in Hz), and where it matters
// {width, height, fps, noise}: the camera's size and rate, and how much moving noise (0..1) makes it costly to encode.
(() => {
  const { number, tone, width: cameraWidth = 640, height: cameraHeight = 360, fps: cameraFps = 15, noise = 0 } =
    window.__identity;
  const COLUMNS = 8;
  // Rows: number, its complement, counter, its complement. A picture that is neither (a fade, a broken frame) fails the complement.
  const paint = (context, width, height, id, counter) => {
    const rows = [id, ~id & 255, counter & 255, ~counter & 255];
    rows.forEach((bits, row) => {
      for (let column = 0; column < COLUMNS; column++) {
        context.fillStyle = bits & (128 >> column) ? "#fff" : "#000";
        context.fillRect((column * width) / COLUMNS, (row * height) / 4, width / COLUMNS + 1, height / 4 + 1);
      }
    });
  };
  // Noise that is drawn at another place each time: every frame differs from the one before, everywhere.
  const makeNoise = (width, height) => {
    const canvas = document.createElement("canvas");
    canvas.width = 2 * width;
    canvas.height = 2 * height;
    const context = canvas.getContext("2d");
    const image = context.createImageData(canvas.width, canvas.height);
    const grey = new Uint32Array(image.data.buffer);
    let state = 1;
    for (let i = 0; i < grey.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      grey[i] = 0xff000000 | ((state >>> 24) * 0x010101);
    }
    context.putImageData(image, 0, 0);
    return canvas;
  };
  const picture = (id, width, height, fps, noise = 0) => {
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    const stream = canvas.captureStream(fps);
    let counter = 0;
    const grain = noise > 0 ? makeNoise(width, height) : null;
    const draw = () => {
      paint(context, width, height, id, counter);
      if (grain !== null) {
        context.globalAlpha = noise;
        context.drawImage(grain, -((counter * 37) % width), -((counter * 53) % height));
        context.globalAlpha = 1;
      }
      counter += 1;
    };
    const timer = setInterval(draw, 1000 / fps);
    draw();
    const [track] = stream.getVideoTracks();
    const stop = track.stop.bind(track);
    track.stop = () => {
      clearInterval(timer);
      stop();
    };
    return track;
  };
  const sound = (frequency) => {
    const context = new AudioContext();
    const oscillator = context.createOscillator();
    const gain = context.createGain();
    gain.gain.value = 0.3;
    oscillator.frequency.value = frequency;
    const destination = context.createMediaStreamDestination();
    oscillator.connect(gain).connect(destination);
    oscillator.start();
    void context.resume();
    return destination.stream.getAudioTracks()[0];
  };
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    const tracks = [];
    if (constraints.audio) tracks.push(sound(tone));
    if (constraints.video) tracks.push(picture(number, cameraWidth, cameraHeight, cameraFps, noise));
    return new MediaStream(tracks);
  };
  // A screen spells the number plus 128, and hums an octave higher.
  navigator.mediaDevices.getDisplayMedia = async (constraints) => {
    const tracks = [picture(number + 128, 960, 540, 10)];
    if (constraints?.audio) tracks.push(sound(tone * 2));
    return new MediaStream(tracks);
  };
})();
