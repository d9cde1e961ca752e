import { describe, expect, test } from "vitest";
import { docxBomb, docxOf, pdfBomb, pdfOf, zipOf } from "../../test/files/samples.ts";
import { createExtract, type Extraction, type ExtractOptions } from "./extract.ts";
import type { DocumentFormat } from "./kinds.ts";

const extract = (format: DocumentFormat, bytes: Uint8Array, options: ExtractOptions & { maxChars?: number } = {}) => {
  const { maxChars = 10_000, ...rest } = options;
  return createExtract(rest)({ format, bytes, maxChars }, new AbortController().signal);
};

const ODT = `<office:document-content><office:styles>no</office:styles><office:body><text:h>Title</text:h><text:p>one<text:s/>two</text:p></office:body></office:document-content>`;
const SLIDE = "<p:sld><a:p><a:r><a:t>Hello</a:t></a:r></a:p></p:sld>";
const SHEET = `<worksheet><cols><col/></cols><sheetData><row r="1"><c r="A1" t="s"><v>1</v></c><c r="B1"><v>4.5</v></c></row><row/><row><c t="inlineStr"><is><t>in</t></is></c><c/></row></sheetData></worksheet>`;

describe("a document's text", () => {
  test.each<{ given: string; format: DocumentFormat; bytes: Buffer; text: string }>([
    { given: "Word", format: "office", bytes: docxOf("Dear Ada,", "1 &lt; 2 &#38; 3"), text: "Dear Ada,\n1 < 2 & 3" },
    {
      given: "a table in Word, without what was struck out",
      format: "office",
      bytes: zipOf({
        "word/document.xml":
          "<w:body><w:tbl><w:tr><w:tc><w:p><w:t>a</w:t></w:p></w:tc><w:tc><w:p><w:t>b</w:t><w:delText>x</w:delText></w:p></w:tc></w:tr></w:tbl></w:body>",
      }),
      text: "a\n\tb",
    },
    { given: "OpenDocument", format: "office", bytes: zipOf({ "content.xml": ODT }), text: "Title\none two" },
    {
      given: "PowerPoint, in the order of its slides",
      format: "office",
      bytes: zipOf({ "ppt/slides/slide10.xml": SLIDE.replace("Hello", "Bye"), "ppt/slides/slide2.xml": SLIDE }),
      text: "--- Slide 1 ---\nHello\n\n--- Slide 2 ---\nBye",
    },
    {
      given: "Excel",
      format: "office",
      bytes: zipOf({
        "xl/sharedStrings.xml": "<sst><si><t>zero</t></si><si><r><t>o</t></r><r><t>ne</t></r></si></sst>",
        "xl/worksheets/sheet1.xml": SHEET,
      }),
      text: "--- Sheet 1 ---\none\t4.5\n\nin\t",
    },
    {
      given: "PDF",
      format: "pdf",
      bytes: pdfOf("First page", "Second"),
      text: "--- Page 1 of 2 ---\nFirst page\n\n--- Page 2 of 2 ---\nSecond",
    },
    {
      given: "HTML without its scripts",
      format: "html",
      bytes: Buffer.from("<title>T</title><script>alert(1)</script><p>Words</p>"),
      text: "T\n\nWords",
    },
  ])("of $given is read", async ({ format, bytes, text }) => {
    expect(await extract(format, bytes)).toEqual({ kind: "text", text });
  });

  test("is cut where too much would follow, and says so", async () => {
    expect(await extract("office", docxOf("x".repeat(500)), { maxChars: 100 })).toEqual({
      kind: "text",
      text: "x".repeat(100),
      cut: "only its beginning was read",
    });
    expect(await extract("pdf", pdfOf("one", "two", "three"), { maxChars: 4 })).toMatchObject({
      cut: "it was read to page 2",
    });
  });
});

describe("a hostile document does no harm", () => {
  const failed = (reason: string): Extraction => ({ kind: "failed", reason });

  test.each<{ given: string; format: DocumentFormat; bytes: () => Buffer; reason: string }>([
    {
      given: "a bomb that says it is short",
      format: "office",
      bytes: () => docxBomb(200_000_000),
      reason: "it becomes too large when unpacked",
    },
    {
      given: "an archive with something else in it",
      format: "office",
      bytes: () => zipOf({ "a.txt": "x" }),
      reason: "it is an archive of a kind that is not read here",
    },
    {
      given: "an archive that was cut off",
      format: "office",
      bytes: () => docxOf("x").subarray(0, 60),
      reason: "it is damaged",
    },
    {
      given: "an archive with bytes changed",
      format: "office",
      bytes: () => changed(docxOf("x".repeat(300))),
      reason: "it is damaged",
    },
    {
      given: "a Word document without text",
      format: "office",
      bytes: () => docxOf(""),
      reason: "there is no text in it",
    },
    {
      given: "a PDF that is none",
      format: "pdf",
      bytes: () => Buffer.from("%PDF-1.4\nnothing else"),
      reason: "it is damaged",
    },
    {
      given: "a PDF that was cut off",
      format: "pdf",
      bytes: () => pdfOf("x").subarray(0, 40),
      reason: "it is damaged",
    },
    { given: "a PDF without text", format: "pdf", bytes: () => pdfOf(""), reason: "there is no text in it" },
  ])("$given", async ({ format, bytes, reason }) => {
    expect(await extract(format, bytes())).toEqual(failed(reason));
  });

  test("one that takes too long is ended", async () => {
    expect(await extract("pdf", pdfOf("x"), { timeMs: 1 })).toEqual(failed("reading it took longer than 0.001 s"));
  });

  test("one that takes too much memory is ended", async () => {
    const result = await extract("pdf", pdfBomb(400_000_000), { memoryBytes: 200_000_000 });
    expect(result).toEqual(failed("reading it takes too much memory"));
  });

  test("XML that declares entities gets none of them", async () => {
    const xml = `<!DOCTYPE x [<!ENTITY a "${"z".repeat(50)}"><!ENTITY f SYSTEM "file:///etc/passwd">]><w:t>&a;&f;ok</w:t>`;
    expect(await extract("office", zipOf({ "word/document.xml": xml }))).toEqual({ kind: "text", text: "&a;&f;ok" });
  });

  test("markup that never closes is read in a moment", async () => {
    const bytes = zipOf({ "word/document.xml": `<w:t>ok</w:t>${"<w:t".repeat(2_000_000)}` });
    expect(await extract("office", bytes)).toEqual({ kind: "text", text: "ok" });
  });

  test("an abort ends the reading with its reason", async () => {
    const stop = new AbortController();
    const reading = createExtract()({ format: "pdf", bytes: pdfOf("x"), maxChars: 10 }, stop.signal);
    stop.abort(new Error("stopped"));
    await expect(reading).rejects.toThrow("stopped");
  });
});

test("more documents than may be read at once are read one after the other", async () => {
  const read = createExtract({ atOnce: 1 });
  const signal = new AbortController().signal;
  const results = await Promise.all(
    ["a", "b", "c"].map((text) => read({ format: "office", bytes: docxOf(text), maxChars: 10 }, signal)),
  );
  expect(results.map((result) => (result.kind === "text" ? result.text : result.reason))).toEqual(["a", "b", "c"]);
});

function changed(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const at = copy.indexOf("word/document.xml") + 20;
  copy.fill(0xff, at, at + 20);
  return copy;
}
