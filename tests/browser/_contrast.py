"""How well words can be told from what is behind them, as WCAG 2 measures it."""

from __future__ import annotations

from playwright.sync_api import Locator

__all__ = ["CONTRASTS", "ENOUGH", "contrasts"]

ENOUGH = 4.5
"""The contrast that WCAG's level AA asks of words of ordinary size."""


def contrasts(scope: Locator) -> dict[str, float]:
    """
    The lowest contrast of each kind of words in an element, with the text in boxes and buttons.

    Of a gradient the worst colour counts. What does nothing is left out, as by WCAG.
    """
    return scope.evaluate(CONTRASTS)


CONTRASTS = """(scope) => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const known = new Map();

  // a colour over another one, each as CSS writes it
  function over(colour, ground) {
    const key = `${colour} over ${ground}`;
    if (!known.has(key)) {
      for (const fill of [ground, colour]) { pen.fillStyle = fill; pen.fillRect(0, 0, 1, 1); }
      const [r, g, b] = pen.getImageData(0, 0, 1, 1).data;
      known.set(key, `rgb(${r} ${g} ${b})`);
    }
    return known.get(key);
  }

  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);

  function between(from, to, share) {
    const [a, b] = [numbers(from), numbers(to)];
    return `rgb(${a.map((value, n) => value + (b[n] - value) * share).join(" ")})`;
  }

  function luminance(colour) {
    const [r, g, b] = numbers(colour).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }

  function ratio(one, other) {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  }

  // what an element paints behind its children: one colour, or all those of a gradient
  function grounds(style, ground) {
    const plain = over(style.backgroundColor, ground);
    const stops = style.backgroundImage.match(/(?:rgba?|color|oklab|oklch)\\([^()]*\\)/g) ?? [];
    return stops.length ? stops.map((stop) => over(stop, plain)) : [plain];
  }

  // the pairs of a colour and its ground that are seen of the last element of a chain
  function seen([element, ...within], colour, behind) {
    const style = getComputedStyle(element);
    return grounds(style, behind).flatMap((ground) => {
      const own = [[over(colour, ground), ground]];
      const inside = within.length ? seen(within, colour, ground) : own;
      return inside.map((pair) => pair.map((value) => between(behind, value, style.opacity)));
    });
  }

  function lowest(element, colour) {
    const chain = [];
    for (let at = element; at; at = at.parentElement) chain.unshift(at);
    const pairs = seen(chain, colour, "rgb(255 255 255)");
    return Math.min(...pairs.map(([one, other]) => ratio(one, other)));
  }

  const saysSomething = (element) =>
    element.matches("textarea, button") ||
    [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  const isIdle = (element) => element.closest("[aria-disabled=true], :disabled");
  const isSeen = (element) =>
    element.checkVisibility({ visibilityProperty: true }) &&
    getComputedStyle(element).clipPath === "none";
  const name = (element) => `${element.localName}.${[...element.classList].join(".")}`;

  const found = {};
  const note = (what, value) => { found[what] = Math.min(found[what] ?? 21, value); };
  for (const element of scope.querySelectorAll("*")) {
    if (!saysSomething(element) || isIdle(element) || !isSeen(element)) continue;
    note(name(element), lowest(element, getComputedStyle(element).color));
    if (element.localName === "textarea")
      note("placeholder", lowest(element, getComputedStyle(element, "::placeholder").color));
  }
  return found;
}"""
