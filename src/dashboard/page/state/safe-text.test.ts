import { expect, test } from "vitest";

const { decodeEntities, safeHref } = await import(new URL("./safe-text.js", import.meta.url).href);

test.each([
  ["https://example.com/a?b=1&c=2#d", "https://example.com/a?b=1&c=2#d"],
  ["http://example.com", "http://example.com/"],
  ["HTTPS://EXAMPLE.COM/", "https://example.com/"],
  ["mailto:me@example.com", "mailto:me@example.com"],
  ["https://example.com/?a=1&amp;b=2", "https://example.com/?a=1&b=2"],
  ["javascript:alert(1)", undefined],
  [" javascript:alert(1)", undefined],
  ["java\nscript:alert(1)", undefined],
  ["JaVaScRiPt:alert(1)", undefined],
  ["javascript&#58;alert(1)", undefined],
  ["&#x6A;avascript:alert(1)", undefined],
  ["data:text/html,<script>", undefined],
  ["vbscript:x", undefined],
  ["file:///etc/passwd", undefined],
  ["blob:https://example.com/1", undefined],
  ["//example.com", undefined],
  ["/v1/keys", undefined],
  ["#top", undefined],
  ["", undefined],
])("the address %j leads to %j", (href, expected) => {
  expect(safeHref(href)).toBe(expected);
});

test.each([
  ["a &lt; b &amp;&amp; c", "a < b && c"],
  ["&#60;b&#x3e;", "<b>"],
  ["&amp;lt;", "&lt;"],
  ["&nosuch; &; & &#;", "&nosuch; &; & &#;"],
  ["&constructor; &toString;", "&constructor; &toString;"],
  ["&#0; &#xd800; &#x110000;", "\ufffd \ufffd \ufffd"],
  ["fish &amp chips", "fish &amp chips"],
])("the text %j reads %j", (text, expected) => {
  expect(decodeEntities(text)).toBe(expected);
});
