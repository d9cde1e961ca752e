import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { renderDocument } from "./document.ts";
import { createStaticFile, respondWith, type StaticFile } from "./static-file.ts";
import { findVendorModules } from "./vendor.ts";

/** The web page's files over HTTP. */
export interface Pages {
  /** Answers a GET or HEAD request for `/`, `/assets/…` or `/vendor/…`; undefined means that there is no such file. */
  fetch(request: Request): Promise<Response | undefined>;
}

/**
 * Reads the page's files and the libraries it uses into memory, and serves exactly those: an address is looked up, never
 * turned into a path. Throws when a file or library is missing.
 */
export function createPages({ botName = "Parley" }: { readonly botName?: string } = {}): Pages {
  const files = collectFiles(botName);
  return {
    fetch(request) {
      const file = isRead(request.method) ? files.get(new URL(request.url).pathname) : undefined;
      return Promise.resolve(file === undefined ? undefined : respondWith(file, request));
    },
  };
}

function isRead(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

function collectFiles(botName: string): ReadonlyMap<string, StaticFile> {
  const assets = readAssets();
  const imports = new Map<string, string>();
  const vendor = new Map<string, StaticFile>();
  for (const [name, url] of findVendorModules()) {
    const file = createStaticFile(url.pathname, readFileSync(url), "immutable");
    const address = `/vendor/${file.hash}/${basename(url.pathname)}`;
    imports.set(name, address);
    vendor.set(address, file);
  }

  const ending = (suffix: string) => [...assets.keys()].filter((address) => address.endsWith(suffix)).toSorted();
  const { html, policy } = renderDocument({
    botName,
    imports,
    modules: [...imports.values(), ...ending(".js")],
    styles: ending(".css"),
    main: "/assets/main.js",
    icon: "/assets/icon.svg",
  });
  return new Map([...assets, ...vendor, ["/", withPolicy(createStaticFile("index.html", html, "revalidate"), policy)]]);
}

const PAGE = new URL("./page/", import.meta.url);
const SERVED = /\.(?:js|css|svg)$/;

function readAssets(): Map<string, StaticFile> {
  const names = readdirSync(PAGE, { recursive: true, encoding: "utf8" }).map((name) => name.replaceAll("\\", "/"));
  return new Map(
    names
      .filter((name) => SERVED.test(name))
      .map((name) => [`/assets/${name}`, createStaticFile(name, readFileSync(new URL(name, PAGE)), "revalidate")]),
  );
}

function withPolicy(file: StaticFile, policy: string): StaticFile {
  return {
    ...file,
    headers: {
      ...file.headers,
      "content-security-policy": policy,
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
      "x-frame-options": "DENY",
    },
  };
}
