"""The content of messages, drawn in a page by the page's own modules, many in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

__all__ = ["Drawn", "draw", "in_modules"]

IMPORTED = """async ([path, argument]) => {
  const script = [...document.scripts].find(({ src }) => /\\/labchat\\.js/.test(src)).src;
  const module = await import(new URL(path, script).href);
  const labels = await import(new URL("labels.js", script).href);
  return await (FUNCTION)(module, argument, labels);
}"""
DRAW = """async ({ Content }, { drafts, kind, breaks }, { Labels }) => {
  const place = document.querySelector("[role=log] .labchat-list");
  const article = document.createElement("article");
  place.append(article);
  const draw = async (chunks) => {
    const content = new Content({ labels: new Labels(), breaks }, (change) => change());
    article.append(content.element);
    content.mount();
    if (chunks.length > 1) content.grow();
    for (const [at, chunk] of chunks.entries()) {
      content.add(at ? chunk : [[kind, chunk]]);
      await content.ready;
    }
    content.close();
    await content.ready;
    return { text: content.element.innerText, written: content.element.textContent, content };
  };
  const drawn = await Promise.all(drafts.map(draw));
  const described = drawn.map(({ text, written, content: { element } }) => ({
    text, written,
    elements: [...element.querySelectorAll(":scope > * *")].flatMap((each) => [
      `<${each.localName}>`,
      ...[...each.attributes].map(({ name, value }) => `${each.localName} ${name}=${value}`),
    ]),
  }));
  article.remove();
  return described;
}"""


@dataclass(frozen=True, slots=True)
class Drawn:
    """
    What a text has become.

    Parameters
    ----------
    text
        What can be seen of it.
    written
        Its text, also what cannot be seen.
    elements
        Its elements, and their attributes.
    """

    text: str
    written: str
    elements: Sequence[str]


def in_modules(page: Page, path: str, function: str, argument: Any = None) -> Any:
    """Call a JavaScript function with a module of the page, an argument, and the labels."""
    return page.evaluate(IMPORTED.replace("FUNCTION", function), [path, argument])


def draw(
    page: Page, *texts: str | Sequence[str], kind: str = "markdown", breaks: bool = False
) -> list[Drawn]:
    """Draw texts as the content of messages; those in several chunks as they come."""
    drafts = [[text] if isinstance(text, str) else [*text] for text in texts]
    asked = {"drafts": drafts, "kind": kind, "breaks": breaks}
    return [Drawn(**each) for each in in_modules(page, "content/content.js", DRAW, asked)]
