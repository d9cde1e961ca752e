// @ts-check

/** @import { SentFile } from "../net/outbox.js" */

/**
 * Reads a file the person chose. Rejects when the browser cannot, for instance for a folder.
 * @param {globalThis.File} file
 * @returns {Promise<SentFile>}
 */
export function readFile(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("error", () => reject(reader.error ?? new Error("not readable")));
    reader.addEventListener("load", () => {
      // "data:type;base64,content"
      const content = typeof reader.result === "string" ? (reader.result.split(",", 2)[1] ?? "") : "";
      const type = file.type === "" ? {} : { media_type: file.type };
      resolve({ name: file.name === "" ? "file" : file.name, ...type, content_base64: content });
    });
    reader.readAsDataURL(file);
  });
}
