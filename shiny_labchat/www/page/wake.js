// @ts-check

const TICK_INTERVAL = 5000;
/** A clock that jumps so far between two ticks of a page in sight stood still: the machine slept. */
const ASLEEP_AFTER = 20_000;

/**
 * Tells when the page is looked at again, or could work again. After a sleep or a change of network
 * no old connection is to be trusted, even if it does not know yet that it is dead.
 *
 * @param {(isDoubtful: boolean) => void} onWake
 * @param {AbortSignal} signal ends it
 */
export function watchWaking(onWake, signal) {
  let lastTick = Date.now();
  const hasSlept = () => {
    const gap = Date.now() - lastTick;
    lastTick = Date.now();
    return gap > ASLEEP_AFTER;
  };
  const onVisible = () => {
    if (!document.hidden) onWake(hasSlept());
  };
  const tick = setInterval(() => {
    if (hasSlept() && !document.hidden) onWake(true); // browsers slow down the clock of a hidden page
  }, TICK_INTERVAL);
  signal.addEventListener("abort", () => clearInterval(tick));
  window.addEventListener("online", () => onWake(true), { signal });
  window.addEventListener("pageshow", onVisible, { signal });
  document.addEventListener("visibilitychange", onVisible, { signal });
  document.addEventListener("resume", onVisible, { signal });
}
