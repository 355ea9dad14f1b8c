// @ts-check

/** Both in milliseconds. */
const TICK_INTERVAL = 5000;
/** A longer gap between two ticks of a visible page means that the machine was asleep. */
const ASLEEP_AFTER = 20_000;

/**
 * Call back when the page is visible again or the network is back.
 *
 * After a sleep or a change of network an old connection may be dead without having noticed.
 *
 * @param {(isDoubtful: boolean) => void} onWake isDoubtful: open connections may be dead
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
