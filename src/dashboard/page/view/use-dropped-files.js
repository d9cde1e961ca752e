// @ts-check
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

/**
 * Takes files that are dropped anywhere on the page; a browser would leave the page to show them. Returns whether some
 * are held over it.
 * @param {(files: readonly globalThis.File[]) => unknown} onFiles
 */
export function useDroppedFiles(onFiles) {
  const isOver = useSignal(false);
  const latest = useRef(onFiles);
  latest.current = onFiles;

  useEffect(() => {
    /** @param {DragEvent} event */
    const over = (event) => {
      if (event.dataTransfer?.types.includes("Files") !== true) return;
      event.preventDefault();
      isOver.value = true;
    };
    /** @param {DragEvent} event */
    const leave = (event) => {
      // Without a place to go to, it left the window.
      if (event.relatedTarget === null) isOver.value = false;
    };
    /** @param {DragEvent} event */
    const drop = (event) => {
      isOver.value = false;
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length === 0) return;
      event.preventDefault();
      latest.current(files);
    };
    document.addEventListener("dragover", over);
    document.addEventListener("dragleave", leave);
    document.addEventListener("drop", drop);
    return () => {
      document.removeEventListener("dragover", over);
      document.removeEventListener("dragleave", leave);
      document.removeEventListener("drop", drop);
    };
  }, []);

  return isOver.value;
}
