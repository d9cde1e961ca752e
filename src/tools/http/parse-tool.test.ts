import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseYamlFile } from "../../config/yaml-file.ts";
import { renderHttpToolJsonSchema } from "./json-schema.ts";
import { parseTool } from "./parse-tool.ts";

const SHIPPED = join(import.meta.dirname, "../../../config/tools");
const ENV = { TOKEN: "hunter2-token", HOST: "api.test" };

const head = "name: shop\ndescription: A shop.\nbase_url: https://api.test\n";
const one = "capabilities:\n  - name: find\n    description: Finds things.\n";

describe("a file", () => {
  test("needs little: the rest has defaults", () => {
    expect(parse(`${head}${one}    path: /things\n`)).toMatchObject({
      tool: {
        auth: { type: "none" },
        allow_private_address: false,
        timeout_s: 30,
        idempotency_header: "Idempotency-Key",
        capabilities: [{ method: "GET", approval: "never", body: "json", parameters: {} }],
      },
    });
  });

  test("may take anything from the environment, and a secret from there is not shown", () => {
    const text = `${head.replace("api.test", "${HOST}")}auth:\n  type: bearer\n  token: \${TOKEN}\n${one}    path: /x\n`;
    const parsed = parse(text);
    expect(parsed).toMatchObject({ tool: { base_url: "https://api.test" } });
    expect(JSON.stringify(parsed)).not.toContain("hunter2");
  });

  test("that leads to a private address is one the administrator has to allow", () => {
    const text = `${head.replace("https://api.test", "http://127.0.0.1:8080/v1")}${one}    path: /x\n`;
    expect(parse(text)).toEqual({
      problems: [
        "tools/shop.yaml:3:11: base_url: a loopback address; if that is meant, set allow_private_address: true",
      ],
    });
    expect(parse(`${text}allow_private_address: true\n`)).toHaveProperty("tool");
    expect(parse(text, ["127.0.0.1:8080"])).toHaveProperty("tool");
    expect(parse(text, ["127.0.0.1:8081"])).toHaveProperty("problems");
  });
});

describe("a mistake is told with its place and without a value", () => {
  const cases: { text: string; says: string | string[] }[] = [
    { text: "", says: ["1:1: name: expected string", "1:1: description: ", "1:1: base_url: ", "1:1: capabilities: "] },
    { text: "just text", says: "1:1: expected keys and values" },
    { text: "a: [", says: "1:5: " },
    {
      text: `${head}extra: 1\n${one}    path: /x\n`,
      says: "4:1: extra: unknown key; known here: name, description, version,",
    },
    {
      text: `${head}${one}    path: /x\n    methd: GET\n`,
      says: "8:5: capabilities.0.methd: unknown key; known here: name, description, method",
    },
    {
      text: `${head}${one}    path: /x\n    method: FETCH\n`,
      says: '8:13: capabilities.0.method: expected one of "GET"',
    },
    { text: `${head}${one}    path: x\n`, says: "7:11: capabilities.0.path: expected a path that begins with a slash" },
    { text: `${head}${one}    path: /x?y=1\n`, says: "7:11: capabilities.0.path: expected a path" },
    { text: `${head}${one}    path: /a/../b\n`, says: "7:11: capabilities.0.path: is not written as it is sent" },
    { text: `${head}${one}    path: /a/ü\n`, says: "7:11: capabilities.0.path: is not written as it is sent" },
    { text: `${head}${one}    path: /{id}\n`, says: "7:11: capabilities.0.path: {id} is not one of the parameters" },
    { text: `${head}${one}    path: "/{id"\n`, says: "7:11: capabilities.0.path: a brace has no partner" },
    { text: `${head}version: 1.10\n${one}    path: /x\n`, says: "4:10: version: expected text; put quotes around it" },
    {
      text: `${head}auth:\n  type: magic\n${one}    path: /x\n`,
      says: "5:9: auth.type: expected one of none, api_key, bearer, basic, oauth2",
    },
    {
      text: `${head}auth:\n  type: bearer\n${one}    path: /x\n`,
      says: "5:3: auth.token: expected text, best ${NAME}",
    },
    {
      text: `${head}auth: { type: bearer, token: "\${MISSING}" }\n${one}    path: /x\n`,
      says: "4:30: auth.token: the environment variable MISSING is not set",
    },
    {
      text: `${head}auth: { type: bearer, token: { credental: x } }\n${one}    path: /x\n`,
      says: "4:30: auth.token: expected text",
    },
    {
      text: `${head}headers: { Host: evil.test }\n${one}    path: /x\n`,
      says: "4:18: headers.Host: this header cannot be set",
    },
    {
      text: `${head}headers: { "a b": c }\n${one}    path: /x\n`,
      says: '4:12: headers.a b: "a b" cannot be used as a name here',
    },
    {
      text: head.replace("https://api.test", "ftp://api.test") + `${one}    path: /x\n`,
      says: "3:11: base_url: expected a URL that starts with http",
    },
    {
      text: head.replace("https://api.test", "https://u:hunter2@api.test") + `${one}    path: /x\n`,
      says: "3:11: base_url: must not contain a user name",
    },
    {
      text: head.replace("https://api.test", "https://api.test:6379") + `${one}    path: /x\n`,
      says: "3:11: base_url: port 6379 is not one that web pages use",
    },
    {
      text: `${head}auth: { type: oauth2, token_url: http://169.254.169.254/t, client_id: c, client_secret: s }\n${one}    path: /x\n`,
      says: "4:34: auth.token_url: a cloud metadata address",
    },
    {
      text: `${head.replace("shop", "x".repeat(30))}${one.replace("find", "y".repeat(40))}    path: /x\n`,
      says: "5:11: capabilities.0.name: ",
    },
    {
      text: `${head}${one}    path: /x\n  - name: find\n    description: d\n    path: /y\n`,
      says: '8:11: capabilities.1.name: there is a capability "find" already',
    },
    { text: `${head}${one}    path: /x\n    timeout_s: 0\n`, says: "8:16: capabilities.0.timeout_s: " },
    {
      text: `${head}${one}    path: /x\n    result: { pick: "a..b" }\n`,
      says: "8:21: capabilities.0.result.pick: expected a path such as",
    },
    {
      text: `${head}${one}    path: /x\n    result: { each: "a b" }\n`,
      says: "8:21: capabilities.0.result.each: expected a path such as",
    },
    {
      text: `${head}${one}    path: /x\n    fixed: { body: { a: 1 } }\n`,
      says: "8:20: capabilities.0.fixed.body: GET has no body",
    },
  ];
  test.each(cases)("$says", ({ text, says }) => {
    const parsed = parse(text);
    const problems = "problems" in parsed ? parsed.problems : [];
    expect(problems).toEqual([says].flat().map((each) => expect.stringContaining(`tools/shop.yaml:${each}`)));
    expect(problems.join()).not.toContain("hunter2");
  });

  const parameters: { given: string; says: string }[] = [
    { given: "{ q: { type: text } }", says: 'q.type: expected one of "string"|"integer"' },
    {
      given: "{ q: { typ: string } }",
      says: "q.typ: unknown key; known here: type, description, required, default, enum, minimum, maximum, min_length, max_length, items, properties, in, send_as",
    },
    { given: "{ q: { minimum: 1 } }", says: "q.minimum: only for type integer or number" },
    { given: "{ q: { type: integer, items: {} } }", says: "q.items: only for type array" },
    { given: "{ q: { type: integer, enum: [a] } }", says: "q.enum: expected only values of type integer" },
    { given: "{ q: { enum: [1] } }", says: "q.enum: expected only values of type string" },
    { given: "{ q: { enum: [a], default: b } }", says: "q.default: is not a value this parameter takes" },
    { given: "{ q: { type: integer, maximum: 3, default: 4 } }", says: "q.default: is not a value" },
    { given: "{ q: { type: array } }", says: "q.type: cannot be sent in the query" },
    { given: "{ q: { type: array, items: { type: object } } }", says: "q.type: cannot be sent in the query" },
    { given: "{ q: { type: object } }", says: "q.type: cannot be sent in the query" },
    { given: "{ q: { type: array, items: {}, in: header } }", says: "q.type: cannot be sent in the header" },
    { given: "{ q: { type: array, items: { minimum: 1 } } }", says: "q.items.minimum: only for type integer" },
    { given: "{ q: { in: body } }", says: "q.in: GET has no body" },
    { given: "{ q: { in: path } }", says: "q.in: {q} is not in the path" },
    { given: "{ q: { in: header, send_as: Host } }", says: "q.send_as: this header cannot be set" },
    { given: "{ q: {}, r: { send_as: q } }", says: 'r: "q" is sent in the query already' },
    { given: "{ 1a: {} }", says: '1a: "1a" cannot be used as a name here' },
    { given: "{ constructor: {} }", says: 'constructor: "constructor" cannot be used as a name here' },
  ];
  test.each(parameters)("parameters $given: $says", ({ given, says }) => {
    const parsed = parse(`${head}${one}    path: /x\n    parameters: ${given}\n`);
    expect("problems" in parsed ? parsed.problems : []).toEqual([
      expect.stringMatching(/^tools\/shop\.yaml:8:\d+: capabilities\.0\.parameters\./),
    ]);
    expect("problems" in parsed ? parsed.problems[0] : "").toContain(`parameters.${says}`);
  });

  test.each([
    { given: "{ id: { in: query } }", says: "id.in: {id} is in the path" },
    { given: "{ id: { required: false } }", says: "id.required: a parameter in the path is always needed" },
    { given: "{ id: { type: object } }", says: "id.type: cannot be sent in the path" },
  ])("a parameter of the path $given: $says", ({ given, says }) => {
    const parsed = parse(`${head}${one}    path: "/{id}"\n    parameters: ${given}\n`);
    expect("problems" in parsed ? parsed.problems : []).toEqual([expect.stringContaining(says)]);
  });
});

describe("for editors", () => {
  test("the JSON Schema is up to date (otherwise run `node src/tools/http/json-schema.ts`)", async () => {
    expect(await readFile(join(SHIPPED, "http-tool.schema.json"), "utf8")).toBe(renderHttpToolJsonSchema());
  });

  test("the shipped example names the schema, and is right", async () => {
    const text = await readFile(join(SHIPPED, "_example.yaml"), "utf8");
    expect(text.split("\n")[0]).toBe("# yaml-language-server: $schema=./http-tool.schema.json");
    expect(parse(text)).toHaveProperty("tool.name", "github");
  });
});

function parse(text: string, allow: readonly string[] = []) {
  return parseTool("tools/shop.yaml", parseYamlFile(text, ENV, []), allow);
}
