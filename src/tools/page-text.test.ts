import { describe, expect, test } from "vitest";
import { decodeText, pageToText, textKindOf } from "./page-text.ts";

describe("the kind of a body", () => {
  test.each([
    ["text/html", "html"],
    ["application/xhtml+xml", "html"],
    ["text/plain", "plain"],
    ["text/csv", "plain"],
    ["application/json", "plain"],
    ["application/ld+json", "plain"],
    ["application/rss+xml", "plain"],
    ["application/pdf", undefined],
    ["image/svg", undefined],
    ["application/octet-stream", undefined],
    ["application/json-seq", undefined],
  ])("%s is read as %s", (mimeType, kind) => {
    expect(textKindOf(mimeType)).toBe(kind);
  });
});

describe("decoding", () => {
  const latin = Buffer.from("<meta charset='iso-8859-1'>caf\xe9", "latin1");
  test.each([
    { given: "declared latin", body: latin, declared: "ISO-8859-1", kind: "plain", ends: "café" },
    { given: "latin declared in the page", body: latin, declared: undefined, kind: "html", ends: "café" },
    { given: "latin declared nowhere", body: latin, declared: undefined, kind: "plain", ends: "caf\ufffd" },
    { given: "an unknown name", body: Buffer.from("café"), declared: "klingon", kind: "html", ends: "café" },
    { given: "nothing declared", body: Buffer.from("café"), declared: undefined, kind: "html", ends: "café" },
  ] as const)("$given ends in $ends", ({ body, declared, kind, ends }) => {
    expect(decodeText(body, declared, kind)).toMatch(new RegExp(`${ends}$`));
  });
});

describe("a page as text", () => {
  test("has its words, absolute links and its title; not its scripts, styles, comments and pictures", () => {
    const page = `<!doctype html><html><head><TITLE lang=en>Tea &amp; Scones</TITLE>
      <style>p { color: red }</style><script>alert("<p>no</p>")</script></head>
      <body><!-- <p>hidden</p> --><h1>Menu</h1><p>One  scone<br>Two</p>
      <svg><title>icon</title><path d="M0"/></svg>
      <a href="/order?x=1">Order</a> <a href="#top">Up</a> <a href="mailto:a@b.c">Write</a>
      <img src="x.png" alt="pic"><ul><li>a</li><li>b</li></ul>
      <script type="text/template"><p>no</p></script ></body></html>`;
    const { title, text, cut } = pageToText(page, "https://shop.test/menu/");
    expect(title).toBe("Tea & Scones");
    expect(text).toMatch(/^Menu\n+One scone\nTwo\n+Order \[https:\/\/shop\.test\/order\?x=1\] Up Write \[a@b\.c\]/);
    expect(text).toMatch(/ \* a\n \* b$/);
    expect(text).not.toMatch(/no|hidden|icon|red|pic/);
    expect(cut).toBe(false);
  });

  test.each([
    "",
    "just words",
    "<title></title>",
    "<title>never closed",
    "<title",
    "<script>never closed",
    "<!-- never closed",
  ])("%s has no title and is no problem", (html) => {
    expect(pageToText(html, "https://x.test/").title).toBeUndefined();
  });

  test("with links that are no addresses keeps them as they are", () => {
    expect(pageToText('<a href="http://[">x</a>', "https://x.test/").text).toBe("x [http://[]");
  });

  test("with very much markup says that it was cut", () => {
    const page = pageToText("<p>word</p>".repeat(100_000), "https://x.test/");
    expect(page.cut).toBe(true);
    expect(page.text.length).toBeGreaterThan(100_000);
  });

  test("with a large script before its words is not cut", () => {
    const page = pageToText(`<script>${"x".repeat(1_000_000)}</script><p>word</p>`, "https://x.test/");
    expect(page).toEqual({ text: "word", cut: false });
  });

  test.each([
    "<div>",
    "<b>x",
    "<ul><li>x",
    "<table><tr><td>x",
    '<a href="http://x/">a',
    "<blockquote>",
    "<script",
    "<script>",
    "<!--",
    "<svg><",
    "<title",
    "<title>",
    "<",
    "<a ",
    "<p>",
    "</i>",
    "&amp;",
    "<h1>",
    "<meta charset=",
    "</script",
    "--",
  ])("made of nothing but %s is read in a moment", (piece) => {
    const html = piece.repeat(Math.ceil(2_000_000 / piece.length));
    const started = performance.now();
    pageToText(decodeText(Buffer.from(html), undefined, "html"), "https://x.test/");
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
