import { describe, expect, test } from "vitest";
import { limitBody } from "./body-limit.ts";

async function read(chunks: readonly string[], maxBytes: number, endless: boolean): Promise<string> {
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      controller.close();
    },
  });
  return new Response(source.pipeThrough(limitBody(maxBytes, endless))).text();
}

describe("a body", () => {
  test("is passed on up to its limit", async () => {
    expect(await read(["12345", "67890"], 10, false)).toBe("1234567890");
    await expect(read(["12345", "678901"], 10, false)).rejects.toThrow("larger than 10 bytes");
    await expect(read(["1\n\n2\n\n3\n\n4\n\n"], 10, false)).rejects.toThrow("larger than 10 bytes");
  });
});

describe("a stream of events", () => {
  test.each([
    { what: "small events without end", chunks: Array.from({ length: 50 }, () => "data: x\n\n") },
    { what: "events cut anywhere", chunks: ["data: 1", "\n", "\n", "data", ": 2\n\nda", "ta: 3\n", "\n"] },
    { what: "lines that end in two characters", chunks: ["data: 1\r\n\r", "\ndata: 2\r\n", "\r\ndata: 3\r\n\r\n"] },
  ])("with $what goes on", async ({ chunks }) => {
    expect(await read(chunks, 20, true)).toBe(chunks.join(""));
  });

  test.each([
    { what: "one long event", chunks: ["data: ", "x".repeat(20)] },
    { what: "one event of many lines", chunks: Array.from({ length: 10 }, () => "data: x\n") },
    { what: "a long event after a short one", chunks: ["data: 1\n\n", `data: ${"x".repeat(20)}`] },
  ])("with $what ends", async ({ chunks }) => {
    await expect(read(chunks, 20, true)).rejects.toMatchObject({ code: "too-large" });
  });
});
