import { expect, test } from "vitest";
import { configuredAddress, parseAddress } from "./bot-address.ts";

test.each([
  ["127.0.0.1", 8300, "http://127.0.0.1:8300"],
  ["localhost", 80, "http://localhost:80"],
  ["0.0.0.0", 8300, "http://127.0.0.1:8300"],
  ["::", 8300, "http://[::1]:8300"],
  ["::1", 8300, "http://[::1]:8300"],
  ["[::1]", 8300, "http://[::1]:8300"],
  ["bot.example.com", 8300, "http://bot.example.com:8300"],
  ["127.0.0.1", 0, undefined],
])("a bot that listens on %s, port %i, is reached at %s", (host, port, address) => {
  expect(configuredAddress({ host, port })).toBe(address);
});

test.each([
  ["http://127.0.0.1:8300", "http://127.0.0.1:8300"],
  ["http://127.0.0.1:8300/", "http://127.0.0.1:8300"],
  ["https://example.com/bot/", "https://example.com/bot"],
  ["127.0.0.1:8300", undefined],
  ["localhost:8300", undefined],
  ["ftp://example.com", undefined],
  ["https://user:secret@example.com", undefined],
  ["https://example.com/?key=1", undefined],
  ["", undefined],
])("the address %j is read as %j", (text, address) => {
  expect(parseAddress(text)).toBe(address);
});
