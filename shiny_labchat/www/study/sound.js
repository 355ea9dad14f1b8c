// @ts-check

/** Two tones that ask for attention, made by the browser: nothing is loaded. */

/** Both in Hz. */
const TONES = [784, 1047];
/** In seconds. */
const TONE_LENGTH = 0.28;
const VOLUME = 0.25;

/** @type {AudioContext | null} */
let context = null;
let isUnlocking = false;

/** Browsers let a page sound only after the person has done something in it: wait for that. */
export function unlockSound() {
  if (isUnlocking || !("AudioContext" in window)) return;
  isUnlocking = true;
  const stop = new AbortController();
  for (const act of ["pointerdown", "keydown", "touchend"]) {
    window.addEventListener(act, () => void unlock(stop), { capture: true, passive: true, signal: stop.signal });
  }
}

/** @param {AbortController} stop */
async function unlock(stop) {
  context ??= new AudioContext();
  await context.resume();
  if (context.state !== "running") return;
  stop.abort();
  await context.suspend(); // it is allowed from now on; running it would cost power
}

/** Sound, if the browser allows it. */
export async function playSound() {
  if (!("AudioContext" in window)) return;
  context ??= new AudioContext();
  await Promise.race([context.resume(), new Promise((done) => setTimeout(done, 500))]);
  if (context.state !== "running") return;
  TONES.forEach((tone, at) => play(/** @type {AudioContext} */ (context), tone, at * TONE_LENGTH));
}

/** @param {AudioContext} context @param {number} tone @param {number} after in seconds */
function play(context, tone, after) {
  const start = context.currentTime + after;
  const [oscillator, gain] = [context.createOscillator(), context.createGain()];
  oscillator.frequency.value = tone;
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(VOLUME, start + 0.02); // no click
  gain.gain.exponentialRampToValueAtTime(0.001, start + TONE_LENGTH * 1.5);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(start);
  oscillator.stop(start + TONE_LENGTH * 1.6);
}
