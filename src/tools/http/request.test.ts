import { describe, expect, test } from "vitest";
import { buildRequest, idempotencyText } from "./request.ts";
import { httpToolSchema, type Capability } from "./schema.ts";

describe("an argument in the path", () => {
  const capability = only({ path: "/users/{id}/files/{name}", parameters: { id: {}, name: {} } });
  const build = (args: Record<string, unknown>) => buildRequest("https://api.test/v1/", capability, args).url.href;

  test.each([
    ["ada", "x.txt", "https://api.test/v1/users/ada/files/x.txt"],
    ["a b", "ü", "https://api.test/v1/users/a%20b/files/%C3%BC"],
    ["a/../../admin", "x", "https://api.test/v1/users/a%2F..%2F..%2Fadmin/files/x"],
    ["a?b=c#d", "x", "https://api.test/v1/users/a%3Fb%3Dc%23d/files/x"],
    ["a\\b", "x", "https://api.test/v1/users/a%5Cb/files/x"],
    ["%2e%2e", "x", "https://api.test/v1/users/%252e%252e/files/x"],
    ["..x", "...", "https://api.test/v1/users/..x/files/..."],
    [7, true, "https://api.test/v1/users/7/files/true"],
    ["\ud800", "x", "https://api.test/v1/users/%EF%BF%BD/files/x"],
  ])("%j and %j: %s", (id, name, href) => {
    expect(build({ id, name })).toBe(href);
  });

  test.each(["..", ".", ""])("%j is refused: it would change which address is reached", (id) => {
    expect(() => build({ id, name: "x" })).toThrow(/"id".*address|address: "id"/);
  });

  test("does not become dots together with its neighbour", () => {
    const together = only({ path: "/a/{x}{y}/b", parameters: { x: {}, y: {} } });
    expect(() => buildRequest("https://api.test", together, { x: ".", y: "." })).toThrow(
      "cannot be part of an address",
    );
  });
});

describe("other arguments", () => {
  test("go to the query of a GET, lists repeated, absent ones left out, under the service's names", () => {
    const capability = only({
      path: "/find",
      parameters: {
        q: {},
        tags: { type: "array", items: {}, send_as: "tag[]" },
        page: { type: "integer", required: false },
        exact: { type: "boolean" },
      },
      fixed: { query: { v: "2" } },
    });
    const { url } = buildRequest("https://api.test", capability, { q: "a&b=c", tags: ["x", "y z"], exact: false });
    expect(url.href).toBe("https://api.test/find?v=2&q=a%26b%3Dc&tag%5B%5D=x&tag%5B%5D=y+z&exact=false");
  });

  test("go to the body of a POST as JSON, together with what is fixed", () => {
    const capability = only({
      method: "POST",
      path: "/issues",
      parameters: { title: {}, labels: { type: "array", items: {} }, page: { in: "query" }, x: { required: false } },
      fixed: { body: { origin: { by: "bot" } } },
    });
    const request = buildRequest("https://api.test", capability, { title: "T", labels: ["a"], page: "1" });
    expect(request).toMatchObject({
      method: "POST",
      url: new URL("https://api.test/issues?page=1"),
      headers: { "content-type": "application/json" },
    });
    expect(JSON.parse(request.body ?? "")).toEqual({ origin: { by: "bot" }, title: "T", labels: ["a"] });
  });

  test("go to the body as a form when that is said", () => {
    const capability = only({
      method: "POST",
      path: "/x",
      body: "form",
      parameters: { a: {}, list: { type: "array", items: { type: "integer" } } },
    });
    const request = buildRequest("https://api.test", capability, { a: "1&2", list: [3, 4] });
    expect(request.headers).toEqual({ "content-type": "application/x-www-form-urlencoded" });
    expect(request.body).toBe("a=1%262&list=3&list=4");
  });

  test("go to headers, and never more than one line of them", () => {
    const capability = only({ path: "/x", parameters: { lang: { in: "header", send_as: "Accept-Language" } } });
    expect(buildRequest("https://api.test", capability, { lang: "es" }).headers).toEqual({ "Accept-Language": "es" });
    for (const lang of ["es\r\nX-Admin: 1", "es\n", "日本"])
      expect(() => buildRequest("https://api.test", capability, { lang })).toThrow(
        '"Accept-Language" is sent as a header',
      );
  });

  test("a POST without any has no body", () => {
    expect(buildRequest("https://api.test", only({ method: "POST", path: "/x" }), {})).toEqual({
      method: "POST",
      url: new URL("https://api.test/x"),
      headers: {},
    });
  });

  test("that make an endless address are refused", () => {
    const capability = only({ path: "/x", parameters: { q: {} } });
    expect(() => buildRequest("https://api.test", capability, { q: "x".repeat(9000) })).toThrow("8192 characters");
  });
});

test.each([
  ["run1:tool_1_1", /^run1:tool_1_1$/],
  ["läuft:tool_1_1", /^[0-9a-f]{64}$/],
  ["x".repeat(300), /^[0-9a-f]{64}$/],
])("the idempotency key %j is sent as %s, every time", (key, form) => {
  expect(idempotencyText(key)).toMatch(form);
  expect(idempotencyText(key)).toBe(idempotencyText(key));
});

function only(capability: object): Capability {
  const file = {
    name: "t",
    description: "d",
    base_url: "https://api.test",
    capabilities: [{ name: "c", description: "d", ...capability }],
  };
  const [first] = httpToolSchema.parse(file).capabilities;
  if (first === undefined) throw new Error("no capability");
  return first;
}
