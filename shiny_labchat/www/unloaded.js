// @ts-check
// A classic script, as it has to run where modules cannot be loaded: then the element says why.
{
  /** Read by participants; `data-labels` replaces them by name. The page of a study has a sentence of its own. */
  const SENTENCES = {
    sandboxed:
      "The chat does not work inside this frame. Please open it in a window of its own. " +
      "(The sandbox of the frame would have to allow-same-origin.)",
    unloaded: "The chat could not be loaded. Please reload the page.",
  };

  class UnloadedRoom extends HTMLElement {
    connectedCallback() {
      const name = window.origin === "null" ? "sandboxed" : "unloaded";
      const words = document.createElement("p");
      words.className = "labchat-unloaded";
      words.role = "alert";
      words.textContent = JSON.parse(this.dataset.labels ?? "{}")[name] ?? SENTENCES[name];
      if (name === "unloaded" && this.dataset.words) words.textContent = JSON.parse(this.dataset.words).reload;
      this.replaceChildren(words);
    }
  }

  const ELEMENTS = { "labchat-room": UnloadedRoom, "labchat-study": class extends UnloadedRoom {} };

  /** @param {EventTarget | null} target */
  const isOurs = (target) => target instanceof HTMLScriptElement && target.src.endsWith("/labchat.js");

  // a script that is not loaded has an error that only captures hear
  window.addEventListener(
    "error",
    ({ target }) => {
      if (!isOurs(target)) return;
      for (const [name, element] of Object.entries(ELEMENTS)) {
        if (!customElements.get(name)) customElements.define(name, element);
      }
    },
    { capture: true },
  );
}
