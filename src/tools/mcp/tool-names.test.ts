import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createToolbox } from "../toolbox.ts";
import { serverNameFor, toolNameOf } from "./tool-names.ts";

describe("a tool's name", () => {
  test.each([
    { server: "files", tool: "read_file", name: "files.read_file" },
    { server: "files", tool: "Read-File2", name: "files.Read-File2" },
    { server: "files", tool: "read file", name: "files.read_file_121414" },
    { server: "files", tool: "read.file", name: "files.read_file_dd32cd" },
    { server: "files", tool: "größe", name: "files.gr_e_d353a2" },
    { server: "files", tool: "x".repeat(58), name: `files.${"x".repeat(58)}` },
    { server: "files", tool: "x".repeat(59), name: `files.${"x".repeat(51)}_6e20a1` },
  ])("$tool of $server is $name, today and tomorrow", ({ server, tool, name }) => {
    expect(toolNameOf(server, tool)).toBe(name);
  });

  test("that something else has already is changed", () => {
    expect(toolNameOf("memory", "get", (name) => name === "memory_get")).toMatch(/^memory\.get_[0-9a-f]{6}$/);
  });

  test("is one a toolbox takes, beside those of every other server and tool", () => {
    const server = fc.constantFrom("a", "a-b", "ab", "memory-server-with-name24");
    const tool = fc.oneof(fc.constantFrom("b", "b_c", "b.c", "b c", "c"), fc.string({ minLength: 1, maxLength: 128 }));
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(server, tool), { selector: ([s, t]) => `${s} ${t}`, maxLength: 30 }),
        (all) => {
          const tools = all.map(([s, t]) => ({ ...INERT, name: toolNameOf(s, t) }));
          expect(createToolbox(tools).list()).toHaveLength(all.length);
        },
      ),
    );
  });
});

describe("a server's name, made from its address,", () => {
  test.each([
    ["https://mcp.linear.app/mcp", "linear"],
    ["https://api.githubcopilot.com/mcp/", "githubcopilot"],
    ["https://www.example.com/", "example"],
    ["https://docs.mcp.cloudflare.com/mcp", "cloudflare"],
    ["http://127.0.0.1:3000/mcp", "server"],
    ["http://[::1]/mcp", "server"],
    ["https://a-very-long-name-of-a-company-indeed.example/mcp", "a-very-long-name-of-a-co"],
  ])("of %s is %s", (address, name) => {
    expect(serverNameFor(new URL(address), () => false)).toBe(name);
  });

  test("gets a number when it is taken", () => {
    const taken = new Set(["linear", "linear-2"]);
    expect(serverNameFor(new URL("https://linear.app"), (name) => taken.has(name))).toBe("linear-3");
  });
});

const INERT = {
  description: "",
  effect: "read" as const,
  timeoutMs: 1,
  parameters: {},
  run: () => Promise.resolve({ kind: "result" as const, value: "" }),
};
