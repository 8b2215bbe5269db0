// The browser's own siren. It is silent until someone touched the page, unless the kiosk starts
// Chromium with --autoplay-policy=no-user-gesture-required: `muzzled` says so, the banner shows it.

let context = null;
let timer = 0;

function ready() {
  context ??= new AudioContext();
  if (context.state === "suspended") context.resume();
  return context;
}

/** Whether the browser would stay silent now. */
export const muzzled = () => ready().state !== "running";

/** A falling pair of tones, once a second; loud in the range that carries through a room. */
function once() {
  const {currentTime, destination} = context;
  for (const [at, pitch] of [[0, 960], [0.3, 770]]) {
    const tone = context.createOscillator();
    const loud = context.createGain();
    tone.type = "square";
    tone.frequency.value = pitch;
    loud.gain.setValueAtTime(0.35, currentTime + at);
    loud.gain.setTargetAtTime(0, currentTime + at + 0.22, 0.02);
    tone.connect(loud).connect(destination);
    tone.start(currentTime + at);
    tone.stop(currentTime + at + 0.3);
  }
}

/** Sound or be silent. */
export function sound(on) {
  document.documentElement.dataset.sounding = String(on);
  if (on === Boolean(timer)) return;
  clearInterval(timer);
  timer = 0;
  if (!on) return;
  const beat = () => {
    if (!muzzled()) once();
  };
  beat();
  timer = setInterval(beat, 1000);
}

for (const touch of ["pointerdown", "keydown"]) addEventListener(touch, ready, {capture: true});
