/** One uploaded file. */
export interface Upload {
  readonly filename: string;
  readonly content: Buffer;
}

/** Reads a multipart body: plain fields, and files by the name of their field. */
export function parseMultipart(
  body: Buffer,
  contentType: string,
): { readonly fields: Record<string, string>; readonly files: Map<string, Upload> } {
  const boundary = /boundary=(?:"([^"]+)"|([^;]+))/i.exec(contentType);
  const mark = Buffer.from(`--${boundary?.[1] ?? boundary?.[2] ?? ""}`);
  const fields: Record<string, string> = {};
  const files = new Map<string, Upload>();
  for (let at = body.indexOf(mark); at !== -1;) {
    const next = body.indexOf(mark, at + mark.length);
    if (next === -1) break;
    readPart(body.subarray(at + mark.length + 2, next - 2), fields, files);
    at = next;
  }
  return { fields, files };
}

function readPart(part: Buffer, fields: Record<string, string>, files: Map<string, Upload>): void {
  const end = part.indexOf("\r\n\r\n");
  const head = part.subarray(0, end).toString("utf8");
  const content = part.subarray(end + 4);
  const name = parameter(head, "name");
  const filename = parameter(head, "filename");
  if (name === undefined) return;
  if (filename === undefined) fields[name] = content.toString("utf8");
  else files.set(name, { filename, content: Buffer.from(content) });
}

/** Values stand in quotes or end with a semicolon. */
function parameter(head: string, name: string): string | undefined {
  const match = new RegExp(`[;\\s]${name}=(?:"([^"]*)"|([^;\\r\\n]*))`, "i").exec(head);
  return match?.[1] ?? match?.[2];
}
