import { createHash } from "node:crypto";

/** A file as it is served: read once, known by its hash. */
export interface StaticFile {
  readonly body: Uint8Array<ArrayBuffer>;
  /** A few characters that change with the content. */
  readonly hash: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** How long a browser may keep a file: `immutable` when its address changes with it, else it asks every time. */
export type Keep = "immutable" | "revalidate";

/** Prepares a file for serving. Throws for a kind of file that is not served here, judged by the end of its name. */
export function createStaticFile(name: string, content: Uint8Array | string, keep: Keep): StaticFile {
  const type = TYPES[name.slice(name.lastIndexOf(".") + 1)];
  if (type === undefined) throw new Error(`There is no content type for ${name}`);
  const body = new Uint8Array(Buffer.from(content));
  const hash = createHash("sha256").update(body).digest("base64url").slice(0, 16);
  return {
    body,
    hash,
    headers: {
      "content-type": type,
      "cache-control": keep === "immutable" ? "public, max-age=31536000, immutable" : "no-cache",
      etag: `"${hash}"`,
      "x-content-type-options": "nosniff",
    },
  };
}

/** Answers a GET or HEAD request for the file, with 304 when the browser has it already. Pure. */
export function respondWith(file: StaticFile, request: Request): Response {
  const { headers, body } = file;
  if (isKnown(request.headers.get("if-none-match"), `"${file.hash}"`))
    return new Response(null, { status: 304, headers });
  const length = { "content-length": String(body.byteLength) };
  return new Response(request.method === "HEAD" ? null : body, { headers: { ...headers, ...length } });
}

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  mjs: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

// A proxy that compresses makes the tag a weak one; the content is the same.
function isKnown(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false;
  return ifNoneMatch.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);
}
