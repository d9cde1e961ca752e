import { describe, expect, test } from "vitest";
import { InvalidInput, OutsideError, type OutsideCode } from "../kernel/errors.ts";
import { explainFailure } from "./explain.ts";

const codes: readonly OutsideCode[] = [
  "rate-limited",
  "overloaded",
  "unavailable",
  "timeout",
  "quota-exhausted",
  "unauthorized",
  "forbidden",
  "not-found",
  "bad-request",
  "too-large",
  "context-too-long",
  "refused",
  "cut-short",
  "empty-answer",
  "garbled",
  "failed",
];

describe("explainFailure", () => {
  test.each(codes)("%s becomes one plain sentence of its own without the provider's words", (code) => {
    const sentence = explainFailure(new OutsideError("https://host/v1 said: sk-secret JSON 429", { code }));
    expect(sentence).toMatch(/^[A-Z][^.]*\.$/);
    expect(sentence).not.toMatch(/sk-secret|https?:|JSON|HTTP|\d{3}|token|null|undefined/);
  });

  test("no two codes share a sentence", () => {
    const sentences = codes.map((code) => explainFailure(new OutsideError("x", { code })));
    expect(new Set(sentences).size).toBe(codes.length);
  });

  test("input that cannot be used is explained by its own message, anything unknown without details", () => {
    expect(explainFailure(new InvalidInput("The file is empty."))).toBe("The file is empty.");
    expect(explainFailure(new Error("password=1234"))).toBe("Something went wrong while preparing the answer.");
    expect(explainFailure("oops")).toBe("Something went wrong while preparing the answer.");
  });
});
