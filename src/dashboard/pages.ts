import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { renderDocument } from "./document.ts";
import { linkImports } from "./link-imports.ts";
import { createStaticFile, respondWith, type StaticFile } from "./static-file.ts";
import { readVendorModules } from "./vendor.ts";

/** The web page's files over HTTP. */
export interface Pages {
  /** Answers a GET or HEAD request for `/`, `/assets/…` or `/vendor/…`; undefined means that there is no such file. */
  fetch(request: Request): Promise<Response | undefined>;
}

/**
 * Reads the page's files and the libraries it uses into memory, and serves exactly those: an address is looked up, never
 * turned into a path. Throws when a library is missing.
 */
export function createPages({ botName = "Parley" }: { readonly botName?: string } = {}): Pages {
  const files = collectFiles(botName);
  return {
    fetch(request) {
      const isRead = request.method === "GET" || request.method === "HEAD";
      const file = isRead ? files.get(new URL(request.url).pathname) : undefined;
      return Promise.resolve(file === undefined ? undefined : respondWith(file, request));
    },
  };
}

function collectFiles(botName: string): ReadonlyMap<string, StaticFile> {
  const { files: vendor, addresses } = collectVendor();
  const assets = collectAssets(addresses);
  const ending = (suffix: string) => [...assets.keys()].filter((address) => address.endsWith(suffix)).toSorted();
  const document = renderDocument({
    botName,
    modules: [...vendor.keys(), ...ending(".js")],
    styles: ending(".css"),
    main: "/assets/main.js",
    icon: "/assets/icon.svg",
  });
  const page = createStaticFile("index.html", document, { keep: "revalidate", headers: PAGE_HEADERS });
  return new Map([...vendor, ...assets, ["/", page]]);
}

/** Nothing but our own files runs or is loaded, and no other page may frame or open this one. */
const PAGE_HEADERS = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "x-frame-options": "DENY",
};

function collectVendor() {
  const modules = readVendorModules();
  // They name one another's addresses, so a change of one gives all of them new ones.
  const hash = createHash("sha256");
  for (const { source } of modules) hash.update(source);
  const folder = `/vendor/${hash.digest("base64url").slice(0, 16)}`;
  const addresses = new Map(modules.map(({ name, fileName }) => [name, `${folder}/${fileName}`]));
  const files = new Map(
    modules.map(({ fileName, source }) => [
      `${folder}/${fileName}`,
      createStaticFile(fileName, linkImports(source, addresses), { keep: "for-ever" }),
    ]),
  );
  return { files, addresses };
}

const PAGE = new URL("./page/", import.meta.url);
const SERVED = /\.(?:js|css|svg)$/;

function collectAssets(addresses: ReadonlyMap<string, string>): ReadonlyMap<string, StaticFile> {
  const names = readdirSync(PAGE, { recursive: true, encoding: "utf8" }).map((name) => name.replaceAll("\\", "/"));
  return new Map(
    names
      .filter((name) => SERVED.test(name))
      .map((name) => {
        const text = readFileSync(new URL(name, PAGE), "utf8");
        const content = name.endsWith(".js") ? linkImports(text, addresses) : text;
        return [`/assets/${name}`, createStaticFile(name, content, { keep: "revalidate" })];
      }),
  );
}
