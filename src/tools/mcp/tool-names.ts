import { createHash } from "node:crypto";

const MAX_NAME_CHARS = 64;
const HASH_CHARS = 6;

/**
 * What a server's tool is called here: `server.tool`, at most 64 characters that a model can write. The same tool has
 * the same name at all times and in every process. A name that had to be changed, or that is `taken` by a tool from
 * elsewhere, ends in a hash of the tool's own name.
 */
export function toolNameOf(server: string, tool: string, taken: (wireName: string) => boolean = () => false): string {
  const plain = `${server}.${tool}`;
  if (/^[A-Za-z0-9_-]+$/.test(tool) && plain.length <= MAX_NAME_CHARS && !taken(wireNameOf(plain))) return plain;
  const hash = createHash("sha256").update(tool).digest("hex").slice(0, HASH_CHARS);
  const written = tool.replaceAll(/[^A-Za-z0-9_-]+/g, "_").slice(0, MAX_NAME_CHARS - server.length - HASH_CHARS - 2);
  return `${server}.${written}_${hash}`;
}

/** A name for the server at this address that is not taken: the telling part of its host, and a number if need be. */
export function serverNameFor(url: URL, taken: (name: string) => boolean): string {
  const stem = tellingPart(url.hostname);
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? stem : `${stem.slice(0, 20)}-${number}`;
    if (!taken(name)) return name;
  }
}

// Models see no dots.
function wireNameOf(name: string): string {
  return name.replaceAll(".", "_");
}

// "mcp.linear.app" and "www.linear.app" are both about "linear"; an address in numbers tells nothing.
function tellingPart(host: string): string {
  const labels = host
    .split(".")
    .slice(0, -1)
    .filter((label) => !["mcp", "www", "api"].includes(label));
  const label = (labels.at(-1) ?? host).replaceAll(/[^a-z0-9-]+/g, "-").replaceAll(/^[^a-z]+|-+$/g, "");
  return label === "" ? "server" : label.slice(0, 24);
}
