import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSafeDownload } from "./safe-fetch.ts";

const server = createServer((request, response) => {
  if (request.url === "/moved") return response.writeHead(302, { location: "/file" }).end();
  if (request.url === "/inside") return response.writeHead(302, { location: "http://10.0.0.1/" }).end();
  if (request.url === "/broken") return response.writeHead(500).end("no");
  if (request.url === "/gone") return response.writeHead(404).end("no");
  return response.writeHead(200, { "content-type": "text/csv; charset=utf-8" }).end("a,b,c");
});
let host: string;

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const fetchFile = (path: string, { maxBytes = 100, allow = [host] } = {}) =>
  createSafeDownload({ allow })(`http://${host}${path}`, { maxBytes, signal: new AbortController().signal });

test.each([
  { path: "/file", maxBytes: 5, text: "a,b,c", more: false },
  { path: "/file", maxBytes: 4, text: "a,b,", more: true },
  { path: "/moved", maxBytes: 5, text: "a,b,c", more: false },
])("$path is fetched up to $maxBytes bytes", async ({ path, maxBytes, text, more }) => {
  const file = await fetchFile(path, { maxBytes });
  expect({ type: file.mimeType, text: String(file.bytes), more: file.more }).toEqual({ type: "text/csv", text, more });
});

test.each([
  { path: "/file", allow: [], code: "refused", retry: "never" },
  { path: "/inside", code: "refused", retry: "never" },
  { path: "/gone", code: "not-found", retry: "never" },
  { path: "/broken", code: "failed", retry: "after" },
])("$path is refused as $code", async ({ path, allow, code, retry }) => {
  const failing = fetchFile(path, allow === undefined ? {} : { allow });
  await expect(failing).rejects.toMatchObject({ code, retry: { kind: retry } });
});
