import { expect, test } from "vitest";
import { refuseSource, type RequestSource } from "./guard.ts";

const local: RequestSource = {
  host: "127.0.0.1:8300",
  origin: undefined,
  fetchSite: undefined,
  loopbackOnly: true,
  forApi: true,
};

const cases: { name: string; source: Partial<RequestSource>; code: string | undefined }[] = [
  { name: "a program on this machine", source: {}, code: undefined },
  { name: "localhost", source: { host: "localhost:8300" }, code: undefined },
  { name: "IPv6 loopback", source: { host: "[::1]:8300" }, code: undefined },
  {
    name: "another name for this machine (rebinding)",
    source: { host: "evil.example:8300" },
    code: "host_not_allowed",
  },
  { name: "a name that begins like ours", source: { host: "localhost.evil.example" }, code: "host_not_allowed" },
  { name: "an address in the network", source: { host: "192.168.1.4:8300" }, code: "host_not_allowed" },
  { name: "no host at all", source: { host: "" }, code: "invalid_request" },
  { name: "a host with a path", source: { host: "localhost/x" }, code: "invalid_request" },
  { name: "a host with a user", source: { host: "localhost@evil.example" }, code: "invalid_request" },
  { name: "the own page", source: { origin: "http://127.0.0.1:8300", fetchSite: "same-origin" }, code: undefined },
  { name: "another site's page", source: { origin: "https://evil.example" }, code: "origin_not_allowed" },
  { name: "another port's page", source: { origin: "http://127.0.0.1:3000" }, code: "origin_not_allowed" },
  { name: "the same machine by another name", source: { origin: "http://localhost:8300" }, code: "origin_not_allowed" },
  { name: "a page without an origin", source: { origin: "null" }, code: "origin_not_allowed" },
  { name: "an extension's page", source: { origin: "chrome-extension://127.0.0.1:8300" }, code: "origin_not_allowed" },
  { name: "another site's picture of the API", source: { fetchSite: "cross-site" }, code: "origin_not_allowed" },
  { name: "another port's picture of the API", source: { fetchSite: "same-site" }, code: "origin_not_allowed" },
  { name: "a link to the page from another site", source: { fetchSite: "cross-site", forApi: false }, code: undefined },
  { name: "an address that was typed", source: { fetchSite: "none" }, code: undefined },
  { name: "any host on a public server", source: { host: "bot.example", loopbackOnly: false }, code: undefined },
  {
    name: "the own page behind a proxy that speaks https",
    source: { host: "bot.example", origin: "https://bot.example", loopbackOnly: false },
    code: undefined,
  },
  {
    name: "another site's page on a public server",
    source: { host: "bot.example", origin: "https://evil.example", loopbackOnly: false },
    code: "origin_not_allowed",
  },
];

test.each(cases)("$name -> $code", ({ source, code }) => {
  expect(refuseSource({ ...local, ...source })?.code).toBe(code);
});
