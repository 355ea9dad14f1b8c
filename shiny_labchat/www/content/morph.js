// @ts-check

/**
 * Make an element's children equal to another's, and keep the nodes that are equal already: what is
 * selected, focused or open in them stays so, and nothing flickers.
 *
 * @param {Node} target
 * @param {Node} source its nodes are moved out
 */
export function morph(target, source) {
  /** @type {ChildNode | null} */
  let kept = target.firstChild;
  for (const fresh of [...source.childNodes]) {
    const next = kept?.nextSibling ?? null;
    if (!kept) target.appendChild(fresh);
    else if (!kept.isEqualNode(fresh)) morphNode(kept, fresh);
    kept = next;
  }
  while (kept) {
    const next = kept.nextSibling;
    kept.remove();
    kept = next;
  }
}

/**
 * @param {ChildNode} kept
 * @param {ChildNode} fresh
 */
function morphNode(kept, fresh) {
  if (kept instanceof Text && fresh instanceof Text) rewrite(kept, fresh.data);
  else if (isSameShell(kept, fresh)) morph(kept, fresh);
  else kept.replaceWith(fresh);
}

/**
 * @param {Text} text
 * @param {string} data
 */
export function rewrite(text, data) {
  if (data.startsWith(text.data)) text.appendData(data.slice(text.length)); // keeps the selection
  else text.data = data;
}

/**
 * Equal apart from the children. Whether a `<details>` is open is ignored: the reader decides that.
 *
 * @param {Node} kept
 * @param {Node} fresh
 */
function isSameShell(kept, fresh) {
  const [mine, other] = [kept.cloneNode(), fresh.cloneNode()];
  for (const shell of [mine, other]) if (shell instanceof HTMLDetailsElement) shell.open = false;
  return mine.isEqualNode(other);
}
