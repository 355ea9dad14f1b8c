// @ts-check

/** A time as 4:59 or 1:04:59, rounded up. @param {number} milliseconds */
export function inDigits(milliseconds) {
  const all = Math.ceil(milliseconds / 1000);
  const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const rest = `${pad(seconds)}`;
  return hours ? `${hours}:${pad(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/** @param {number} number */
function pad(number) {
  return String(number).padStart(2, "0");
}
