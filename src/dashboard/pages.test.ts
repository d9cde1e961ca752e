import { dirname, join } from "node:path/posix";
import { expect, test } from "vitest";
import { parseImports } from "../../test/setup/imports.ts";
import { createPages } from "./pages.ts";

const pages = createPages();
const get = (path: string, init?: RequestInit) => pages.fetch(new Request(new URL(path, "http://localhost"), init));

async function text(path: string): Promise<string> {
  const response = await get(path);
  if (response === undefined) throw new Error(`${path} is not served`);
  return response.text();
}

const document = await text("/");
const addresses = [...document.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, address]) => address ?? "");
const modules = addresses.filter((address) => address.endsWith(".js"));

test("the document names only files that are served, each with its type", async () => {
  expect(addresses.length).toBeGreaterThan(20);
  for (const address of addresses) {
    const type = (await get(address))?.headers.get("content-type");
    expect(`${address} ${type}`).toMatch(/\.js text\/javascript|\.css text\/css|\.svg image\/svg\+xml/);
  }
});

test("every import of every module leads to a module that the document has announced", async () => {
  const unknown: string[] = [];
  for (const address of modules)
    for (const specifier of parseImports(await text(address))) {
      const target = specifier.startsWith(".") ? join(dirname(address), specifier) : specifier;
      if (!modules.includes(target)) unknown.push(`${address} imports ${specifier}`);
    }
  expect(unknown).toEqual([]);
});

test("the page's policy lets nothing run that does not come from here, and the document needs nothing else", async () => {
  const policy = (await get("/"))?.headers.get("content-security-policy") ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self';");
  expect(policy).not.toContain("unsafe");
  expect(document).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/);
});

test("what has not changed is not sent again", async () => {
  for (const address of ["/", "/assets/main.js", modules[0] ?? ""]) {
    const first = await get(address);
    const etag = first?.headers.get("etag") ?? "";
    expect(etag).toMatch(/^"[\w-]{22}"$/);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const again = await get(address, { headers: { "if-none-match": known } });
      expect([known, again?.status, await again?.text()]).toEqual([known, 304, ""]);
    }
    const other = await get(address, { headers: { "if-none-match": '"other"' } });
    expect(other?.status).toBe(200);
  }
});

test("libraries may be kept for ever, because their addresses change; the page asks every time", async () => {
  const caching = async (path: string) => (await get(path))?.headers.get("cache-control");
  const vendor = modules.filter((address) => address.startsWith("/vendor/"));
  expect(vendor.length).toBe(7);
  for (const address of vendor) expect(await caching(address)).toBe("public, max-age=31536000, immutable");
  for (const address of ["/", "/assets/main.js"]) expect(await caching(address)).toBe("no-cache");
});

test("HEAD tells the same without the content", async () => {
  const full = await get("/assets/main.js");
  const head = await get("/assets/main.js", { method: "HEAD" });
  expect(await head?.text()).toBe("");
  expect([...(head?.headers ?? [])]).toEqual([...(full?.headers ?? [])]);
});

test.each([
  "/index.html",
  "/assets/",
  "/assets/tsconfig.json",
  "/assets/state/conversation.test.ts",
  "/assets/../pages.ts",
  "/assets/..%2fpages.ts",
  "/assets/%2e%2e/%2e%2e/main.ts",
  "/assets//main.js",
  "/vendor/preact.js",
  "/vendor/../../package.json",
  "/assets/__proto__",
  "/constructor",
])("%s is not served", async (path) => {
  expect(await get(path)).toBeUndefined();
});

test.each(["POST", "PUT", "DELETE", "OPTIONS"])("%s is not answered", async (method) => {
  expect(await get("/", { method })).toBeUndefined();
});

test("a bot's name is text, whatever it holds", async () => {
  const named = createPages({ botName: `<script>"Bob" & 'Co'` });
  const html = await (await named.fetch(new Request("http://localhost/")))?.text();
  expect(html).toContain("<title>&#60;script&#62;&#34;Bob&#34; &#38; &#39;Co&#39;</title>");
  expect(html).not.toContain(`<script>"Bob"`);
});
