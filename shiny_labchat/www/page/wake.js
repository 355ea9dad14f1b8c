// @ts-check

const TICK = 5000;
/** A clock that jumps so far between two ticks of a page in sight stood still: the machine slept. */
const SLEPT = 20_000;

/**
 * Tells when the page is looked at again, or could work again. After a sleep or a change of network
 * no old connection is to be trusted, even if it does not know yet that it is dead.
 *
 * @param {(isDoubtful: boolean) => void} onWake
 * @param {AbortSignal} signal ends it
 */
export function watchWaking(onWake, signal) {
  let seenAt = Date.now();
  const hasSlept = () => {
    const gap = Date.now() - seenAt;
    seenAt = Date.now();
    return gap > SLEPT;
  };
  const look = () => {
    if (!document.hidden) onWake(hasSlept());
  };
  const tick = setInterval(() => {
    if (hasSlept() && !document.hidden) onWake(true); // browsers slow down the clock of a hidden page
  }, TICK);
  signal.addEventListener("abort", () => clearInterval(tick));
  window.addEventListener("online", () => onWake(true), { signal });
  window.addEventListener("pageshow", look, { signal });
  document.addEventListener("visibilitychange", look, { signal });
  document.addEventListener("resume", look, { signal });
}
