// @ts-check
import { useEffect, useRef } from "preact/hooks";

/** @import { Signal } from "@preact/signals" */

/** How far from the end still counts as being there, in pixels. */
const NEAR = 48;

/**
 * Keeps a scroller at its end while its content grows, unless the reader has scrolled away from it. `isAtEnd` tells.
 * @param {Signal<boolean>} isAtEnd
 */
export function useStickToEnd(isAtEnd) {
  const scroller = useRef(/** @type {HTMLElement | null} */ (null));
  const content = useRef(/** @type {HTMLElement | null} */ (null));

  useEffect(() => {
    const box = scroller.current;
    const inner = content.current;
    if (box === null || inner === null) return undefined;
    const onScroll = () => {
      isAtEnd.value = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
    };
    // Watching both sides: the content grows with every word, the box shrinks when the send box grows.
    const sizes = new ResizeObserver(() => {
      if (isAtEnd.value) box.scrollTop = box.scrollHeight;
    });
    box.addEventListener("scroll", onScroll, { passive: true });
    sizes.observe(inner);
    sizes.observe(box);
    return () => {
      box.removeEventListener("scroll", onScroll);
      sizes.disconnect();
    };
  }, []);

  return {
    scroller,
    content,
    toEnd: () => {
      isAtEnd.value = true;
      scroller.current?.scrollTo({ top: scroller.current.scrollHeight });
    },
  };
}
