import { expect, test } from "vitest";

const { bytesOfBase64, isPreviewed, isUnused, sizeInWords, stateInWords } = await import(
  new URL("./files.js", import.meta.url).href
);

test.each([
  [0, "0 bytes"],
  [1, "1 byte"],
  [999, "999 bytes"],
  [1_000, "1 kB"],
  [999_499, "999 kB"],
  [999_500, "1.0 MB"],
  [5_250_000, "5.3 MB"],
])("%i bytes are %s", (bytes, words) => {
  expect(sizeInWords(bytes)).toBe(words);
});

test.each([0, 1, 2, 3, 4, 100])("base64 of %i bytes is known to be so long", (length) => {
  expect(bytesOfBase64(Buffer.alloc(length).toString("base64"))).toBe(length);
});

test("a state is said with its reason, and one that kept a file from the model stands out", () => {
  expect(stateInWords({ state: "failed", reason: "it is damaged" })).toBe("could not be read: it is damaged");
  expect(stateInWords({ state: "shown" })).toBe("shown to the model");
  const states = ["received", "read", "shown", "unsupported", "too-large", "failed"] as const;
  expect(states.filter((state) => isUnused({ state }))).toEqual(["unsupported", "too-large", "failed"]);
});

test.each([
  ["image/png", true],
  ["image/webp", true],
  ["image/svg+xml", false],
  ["text/html", false],
  ["application/pdf", false],
])("a file of type %s is shown as a picture: %s", (media_type, is) => {
  expect(isPreviewed({ media_type })).toBe(is);
});
