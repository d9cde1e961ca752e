import { expect, test } from "vitest";
import { decodeFile, kindOf } from "./kinds.ts";
import { DOT_PNG, docxOf, pdfOf } from "../../test/files/samples.ts";

const bytes = (...list: readonly (number | string)[]) =>
  Buffer.concat(list.map((each) => (typeof each === "number" ? Buffer.from([each]) : Buffer.from(each, "latin1"))));

test.each([
  { given: "a PNG", content: DOT_PNG, is: { kind: "image", mimeType: "image/png" } },
  {
    given: "a PNG called text",
    content: DOT_PNG,
    declared: "text/plain",
    is: { kind: "image", mimeType: "image/png" },
  },
  { given: "a JPEG", content: bytes(0xff, 0xd8, 0xff, 0xe0), is: { kind: "image", mimeType: "image/jpeg" } },
  { given: "a GIF", content: bytes("GIF89a"), is: { kind: "image", mimeType: "image/gif" } },
  { given: "a WebP", content: bytes("RIFF1234WEBPVP8 "), is: { kind: "image", mimeType: "image/webp" } },
  {
    given: "a text called an image",
    content: bytes("hello"),
    declared: "image/png",
    is: { kind: "false", claimed: "image/png" },
  },
  { given: "an SVG, which is text", content: bytes("<svg/>"), declared: "image/svg+xml", is: { kind: "text" } },
  { given: "a PDF", content: pdfOf("x"), is: { kind: "document", format: "pdf" } },
  { given: "a Word document", content: docxOf("x"), is: { kind: "document", format: "office" } },
  { given: "an MP3 with a tag", content: bytes("ID3\u0004"), is: { kind: "audio", mimeType: "audio/mpeg" } },
  { given: "an MP3 without", content: bytes(0xff, 0xfb, 0x90), is: { kind: "audio", mimeType: "audio/mpeg" } },
  { given: "a WAV", content: bytes("RIFF1234WAVEfmt "), is: { kind: "audio", mimeType: "audio/wav" } },
  { given: "an Ogg", content: bytes("OggS\u0000"), is: { kind: "audio", mimeType: "audio/ogg" } },
  { given: "an M4A", content: bytes("\u0000\u0000\u0000\u0020ftypM4A "), is: { kind: "audio", mimeType: "audio/mp4" } },
  {
    given: "a film",
    content: bytes("\u0000\u0000\u0000\u0020ftypisom"),
    declared: "video/mp4",
    is: { kind: "false", claimed: "video/mp4" },
  },
  { given: "a text", content: Buffer.from("grüße"), is: { kind: "text" } },
  { given: "a text in UTF-16", content: bytes(0xff, 0xfe, "h\u0000i\u0000"), is: { kind: "text" } },
  { given: "an empty file", content: bytes(), is: { kind: "text" } },
  {
    given: "a page by its beginning",
    content: bytes("\n<!DOCTYPE html><p>"),
    is: { kind: "document", format: "html" },
  },
  { given: "a page by its name", content: bytes("<p>x"), name: "a.HTM", is: { kind: "document", format: "html" } },
  { given: "a program", content: bytes("MZ\u0090\u0000\u0003"), is: { kind: "unknown" } },
  { given: "bytes without a zero", content: bytes(1, 2, 3, "abc"), is: { kind: "unknown" } },
])("$given is $is", ({ content, declared = "application/octet-stream", name = "file", is }) => {
  expect(kindOf(content, declared, name)).toEqual(is);
});

test.each([
  [Buffer.from("grüße"), "grüße"],
  [Buffer.from("\uFEFFmark"), "mark"],
  [Buffer.from("\uFEFFhi", "utf16le"), "hi"],
  [Buffer.from([0xfe, 0xff, 0, 0x68]), "h"],
  [Buffer.from([0x67, 0x72, 0xfc, 0xdf]), "grüß"],
])("%j is read as %j", (content, text) => {
  expect(decodeFile(content)).toBe(text);
});
