// @ts-check
import { useSignal } from "@preact/signals";
import { html } from "htm/preact";

/**
 * Code with its language and a button that copies it.
 * @param {{ text: string, language: string }} props
 */
export function CodeBlock({ text, language }) {
  const copied = useSignal(false);
  // Only a page that came over a safe connection may write to the clipboard.
  const canCopy = navigator.clipboard !== undefined;

  async function copy() {
    await navigator.clipboard.writeText(text).then(
      () => {
        copied.value = true;
        setTimeout(() => {
          copied.value = false;
        }, 2_000);
      },
      () => undefined,
    );
  }

  return html`<figure class="code">
    <figcaption>
      <span>${language === "" ? "text" : language}</span>
      ${canCopy && html`<button type="button" class="quiet" onClick=${copy}>${copied.value ? "Copied" : "Copy"}</button>`}
    </figcaption>
    <pre tabindex="0"><code>${text}</code></pre>
  </figure>`;
}
