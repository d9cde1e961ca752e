import { createHash } from "node:crypto";

/** A file as it is served: read once, known by its hash. */
export interface StaticFile {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly etag: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ServingOptions {
  /** How long a browser may use its copy: `for-ever` when the address changes with the content, else it asks each time. */
  readonly keep: "for-ever" | "revalidate";
  readonly headers?: Readonly<Record<string, string>>;
}

/** Prepares a file for serving. Throws for a kind of file that is not served here, judged by the end of its name. */
export function createStaticFile(name: string, content: string, { keep, headers }: ServingOptions): StaticFile {
  const type = TYPES[name.slice(name.lastIndexOf(".") + 1)];
  if (type === undefined) throw new Error(`There is no content type for ${name}`);
  const body = new TextEncoder().encode(content);
  const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
  return {
    body,
    etag,
    headers: {
      ...headers,
      "content-type": type,
      "cache-control": keep === "for-ever" ? "public, max-age=31536000, immutable" : "no-cache",
      etag,
      "x-content-type-options": "nosniff",
    },
  };
}

/** Answers a GET or HEAD request for the file, with 304 when the browser has it already. Pure. */
export function respondWith({ body, etag, headers }: StaticFile, request: Request): Response {
  if (hasTag(request.headers.get("if-none-match"), etag)) return new Response(null, { status: 304, headers });
  const length = { "content-length": String(body.byteLength) };
  return new Response(request.method === "HEAD" ? null : body, { headers: { ...headers, ...length } });
}

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml; charset=utf-8",
};

function hasTag(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false;
  // A proxy that compresses on the way makes the tag a weak one; the content is the same.
  return ifNoneMatch.split(",").some((tag) => [etag, "*"].includes(tag.trim().replace(/^W\//, "")));
}
