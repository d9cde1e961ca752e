import { crc32, deflateRawSync, deflateSync } from "node:zlib";

/** An archive of these files. `claim` makes its headers say another unpacked size than is true. */
export function zipOf(
  files: Readonly<Record<string, string | Buffer>>,
  { claim, pack = deflateRawSync }: { readonly claim?: number; readonly pack?: (data: Buffer) => Buffer } = {},
): Buffer {
  const parts: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(files)) {
    const data = Buffer.from(content);
    const packed = pack(data);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(claim ?? data.length, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from("PK\u0003\u0004", "latin1"), common, Buffer.from(name), packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    central.push(Buffer.concat([Buffer.from("PK\u0001\u0002\u0014\u0000", "latin1"), common, tail, Buffer.from(name)]));
    parts.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write("PK\u0005\u0006", "latin1");
  end.writeUInt16LE(central.length, 8);
  end.writeUInt16LE(central.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, directory, end]);
}

const paragraph = (text: string) => `<w:p><w:r><w:t xml:space="preserve">${text}</w:t></w:r></w:p>`;

/** A Word document of these paragraphs. */
export function docxOf(...paragraphs: readonly string[]): Buffer {
  const body = paragraphs.map(paragraph).join("");
  return zipOf({
    "[Content_Types].xml": "<Types/>",
    "word/document.xml": `<?xml version="1.0"?><w:document xmlns:w="w"><w:body>${body}</w:body></w:document>`,
  });
}

/** A Word document of a few kilobytes that would be `bytes` long when unpacked, and says that it is short. */
export function docxBomb(bytes: number): Buffer {
  return zipOf({ "word/document.xml": Buffer.alloc(bytes, "a") }, { claim: 100 });
}

/** A PDF with one page for every text. */
export function pdfOf(...pages: readonly string[]): Buffer {
  const contents = pages.map((text) => Buffer.from(`BT /F1 12 Tf 72 720 Td (${text}) Tj ET`));
  return pdfFrom(contents.map((content) => ({ content, filter: "" })));
}

/** A small PDF whose page is `bytes` long when unpacked. */
export function pdfBomb(bytes: number): Buffer {
  return pdfFrom([{ content: deflateSync(Buffer.alloc(bytes, " ")), filter: "/Filter /FlateDecode " }]);
}

function pdfFrom(pages: readonly { readonly content: Buffer; readonly filter: string }[]): Buffer {
  const objects: Buffer[] = [];
  const kids = pages.map((_page, index) => `${4 + index * 2} 0 R`).join(" ");
  objects.push(Buffer.from("<< /Type /Catalog /Pages 2 0 R >>"));
  objects.push(Buffer.from(`<< /Type /Pages /Kids [${kids}] /Count ${pages.length} >>`));
  objects.push(Buffer.from("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"));
  for (const [index, { content, filter }] of pages.entries()) {
    const page = `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents ${5 + index * 2} 0 R >>`;
    objects.push(Buffer.from(page));
    objects.push(
      Buffer.concat([
        Buffer.from(`<< ${filter}/Length ${content.length} >>\nstream\n`),
        content,
        Buffer.from("\nendstream"),
      ]),
    );
  }
  let out = Buffer.from("%PDF-1.4\n");
  const offsets: number[] = [];
  for (const [index, object] of objects.entries()) {
    offsets.push(out.length);
    out = Buffer.concat([out, Buffer.from(`${index + 1} 0 obj\n`), object, Buffer.from("\nendobj\n")]);
  }
  const table = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("");
  const tail = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${out.length}\n%%EOF\n`;
  return Buffer.concat([out, Buffer.from(tail)]);
}

/** The smallest PNG: one dot. */
export const DOT_PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
