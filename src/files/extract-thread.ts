import { parentPort, workerData } from "node:worker_threads";
import { pageToText } from "../tools/page-text.ts";
import type { Extraction, ExtractionJob } from "./extract.ts";
import { decodeFile } from "./kinds.ts";
import { officeText } from "./office-text.ts";
import { BadZip } from "./zip.ts";

// The whole of a thread that reads one document; see extract.ts.
const job = workerData as ExtractionJob;
parentPort?.postMessage(await extract(job), []);

async function extract({ format, bytes, maxChars }: ExtractionJob): Promise<Extraction> {
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const { text, cut } = await readAs(format, content, maxChars);
    if (text.trim() === "") return { kind: "failed", reason: "there is no text in it" };
    // Half a gigabyte of text would only be copied to be thrown away.
    const shown = text.slice(0, maxChars).toWellFormed();
    const note = cut !== "" || text.length > maxChars ? { cut: cut === "" ? "only its beginning was read" : cut } : {};
    return { kind: "text", text: shown, ...note };
  } catch (error) {
    return { kind: "failed", reason: reasonOf(error) };
  }
}

async function readAs(format: ExtractionJob["format"], content: Buffer, maxChars: number) {
  switch (format) {
    case "html": {
      const { text, title, cut } = pageToText(decodeFile(content), "about:blank");
      return {
        text: title === undefined ? text : `${title}\n\n${text}`,
        cut: cut ? "only its beginning was read" : "",
      };
    }
    case "office":
      return { text: officeText(content), cut: "" };
    case "pdf": {
      // Half a second to load: only for those who need it.
      const { pdfText } = await import("./pdf-text.ts");
      return pdfText(content, maxChars);
    }
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof BadZip) return error.message;
  if (error instanceof Error && error.name === "PasswordException") return "it is protected by a password";
  return "it is damaged";
}
