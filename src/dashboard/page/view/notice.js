// @ts-check
import { html } from "htm/preact";
import { useEffect } from "preact/hooks";

/** @import { Signal } from "@preact/signals" */

const SHOWN_MS = 6_000;

/**
 * A sentence about what was just done or could not be; it goes by itself.
 * @param {{ notice: Signal<{ text: string, count: number } | undefined> }} props
 */
export function Notice({ notice }) {
  const current = notice.value;

  useEffect(() => {
    if (current === undefined) return undefined;
    const timer = setTimeout(() => {
      notice.value = undefined;
    }, SHOWN_MS);
    return () => clearTimeout(timer);
  }, [current]);

  return html`<div class="notice-place" role="status">
    ${current !== undefined && html`<p class="notice" key=${current.count}>${current.text}</p>`}
  </div>`;
}
