// The browser's own siren. It is silent until someone touched the page, unless the kiosk starts
// Chromium with --autoplay-policy=no-user-gesture-required: `muzzled` says so, the banner shows it.

let context = null;
let timer = 0;
let now = "";

function ready() {
  context ??= new AudioContext();
  if (context.state === "suspended") context.resume();
  return context;
}

/** Whether the browser would stay silent now. */
export const muzzled = () => ready().state !== "running";

// kind -> how often (ms), how loud (0 to 1), [after s, for s, Hz] …: an SOS falls, loud, in the
// range that carries through a room; a call (an order, nobody signed on) rises, softly, and waits.
const KINDS = {
  alarm: {every: 1000, loud: 0.35, tones: [[0, 0.22, 960], [0.3, 0.22, 770]]},
  call: {every: 5000, loud: 0.2, tones: [[0, 0.12, 520], [0.2, 0.12, 660], [0.4, 0.25, 780]]},
};

/** Whether the county waits for an answer here, or nobody has been signed on for too long. */
export const calls = (rows) => Object.values(rows.order || {}).some((row) => !row.discreet)
  || Boolean(rows.shift?.now?.alarm);

function once({loud, tones}) {
  const {currentTime, destination} = context;
  for (const [after, lasts, pitch] of tones) {
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.type = "square";
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(loud, currentTime + after);
    volume.gain.setTargetAtTime(0, currentTime + after + lasts, 0.02);
    tone.connect(volume).connect(destination);
    tone.start(currentTime + after);
    tone.stop(currentTime + after + lasts + 0.08);
  }
}

/** Sound as a kind of KINDS, or "" for silence. */
export function sound(kind) {
  document.documentElement.dataset.sounding = kind;
  if (kind === now) return;
  now = kind;
  clearInterval(timer);
  if (!kind) return;
  const beat = () => {
    if (!muzzled()) once(KINDS[kind]);
  };
  beat();
  timer = setInterval(beat, KINDS[kind].every);
}

for (const touch of ["pointerdown", "keydown"]) addEventListener(touch, ready, {capture: true});
