import { describe, expect, test } from "vitest";
import { ConfigError } from "./config-error.ts";
import { loadConfig } from "./load.ts";
import { chatTakesImages, configuredModels, modelWarnings } from "./models.ts";
import { configSecrets } from "./secrets.ts";

async function load(yaml: string, env: Record<string, string> = {}) {
  const readFile = (path: string) => Promise.resolve(path.endsWith("parley.yaml") ? yaml : "Be kind.");
  return (await loadConfig({ env, dir: "config", readFile })).config;
}

async function issuesOf(yaml: string): Promise<readonly string[]> {
  try {
    await load(yaml);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
}

const SEVERAL = `
ai: { url: http://one.example/v1, api_key: key-one, model: big-1, temperature: 0.5 }
models:
  - { url: http://two.example/v1, model: big-2, timeout_s: 30, temperature: 0, context_tokens: 8000 }
  - { name: local, url: http://127.0.0.1:1/v1, model: big-1, api_key: "\${LOCAL_KEY}", first_for: [plan, summary] }
prices:
  - { model: big-1, input: 2, output: 8, cached_input: 0.5 }
  - { model: local, input: 0, output: 0 }
`;

describe("the configured models", () => {
  test("are none when nothing is configured", async () => {
    expect(configuredModels(await load(""))).toEqual({ models: [], purposes: {} });
  });

  test("are the one of the environment alone", async () => {
    const config = await load("", { AI_URL: "http://one.example/v1", AI_MODEL: "big" });
    expect(configuredModels(config)).toEqual({
      models: [{ name: "big", model: "big", url: "http://one.example/v1", timeoutMs: 120_000 }],
      purposes: {},
    });
  });

  test("have the longest answer of their own, or that of `ai`", async () => {
    const urls = "url: http://one.example/v1, model";
    const { models } = configuredModels(
      await load(`ai: { ${urls}: a, max_tokens: 500 }\nmodels: [{ ${urls}: b }, { ${urls}: c, max_tokens: 9 }]\n`),
    );
    expect(models.map(({ maxTokens }) => maxTokens)).toEqual([500, 500, 9]);
  });

  test("are several, the one of `ai` first, with prices by name", async () => {
    const { models, purposes } = configuredModels(await load(SEVERAL, { LOCAL_KEY: "key-local" }));
    expect(models.map(({ apiKey, ...rest }) => ({ ...rest, key: apiKey?.reveal() }))).toEqual([
      {
        name: "big-1",
        model: "big-1",
        url: "http://one.example/v1",
        timeoutMs: 120_000,
        temperature: 0.5,
        price: { input: 2, output: 8, cachedInput: 0.5 },
        key: "key-one",
      },
      {
        name: "big-2",
        model: "big-2",
        url: "http://two.example/v1",
        timeoutMs: 30_000,
        temperature: 0,
        contextTokens: 8000,
      },
      {
        name: "local",
        model: "big-1",
        url: "http://127.0.0.1:1/v1",
        timeoutMs: 120_000,
        temperature: 0.5,
        price: { input: 0, output: 0 },
        key: "key-local",
      },
    ]);
    expect(purposes).toEqual({ plan: "local", summary: "local" });
  });

  test.each([
    ["", false],
    ["ai: { url: http://one.example/v1 }", false],
    ["ai: { url: http://one.example/v1, vision: true }", true],
    ["models: [{ url: http://a.example/v1, model: a, vision: true }, { url: http://b.example/v1, model: b }]", true],
    ["models: [{ url: http://a.example/v1, model: a }, { url: http://b.example/v1, model: b, vision: true }]", false],
    [
      "models: [{ url: http://a.example/v1, model: a }, { url: http://b.example/v1, model: b, vision: true, first_for: [chat] }]",
      true,
    ],
  ])("%j: the one asked first in a chat takes images: %s", async (yaml, takes) => {
    expect(chatTakesImages(await load(yaml))).toBe(takes);
  });

  test("need no `ai` when there are others", async () => {
    const { models } = configuredModels(await load("models: [{ url: http://two.example/v1, model: gpt-4.1-mini }]"));
    expect(models.map(({ name }) => name)).toEqual(["gpt-4.1-mini"]);
  });

  test("keep their keys from every log", async () => {
    const config = await load(SEVERAL, { LOCAL_KEY: "key-local" });
    expect(configSecrets(config).toSorted()).toEqual(["key-local", "key-one"]);
    expect(JSON.stringify(config)).not.toMatch(/key-(one|local)/);
  });
});

describe("what is refused", () => {
  test.each<[string, readonly RegExp[]]>([
    ["models: [{ url: http://a/v1 }]", [/^parley\.yaml:1:10 models\.0\.model: expected string/]],
    ["models: [{ url: ftp://a/v1, model: a }]", [/models\.0\.url: expected a URL/]],
    ["models: [{ url: http://a/v1, model: a b }]", [/models\.0\.model: must not be empty or contain white space/]],
    ["models: [{ url: http://a/v1, model: a, api_key: 'se cret' }]", [/models\.0\.api_key: must not be empty/]],
    [
      "models: [{ url: http://a, model: a }, { url: http://b, model: a }]",
      [/models\.1: another model has the same name/],
    ],
    [
      "ai: { url: http://a, model: a }\nmodels: [{ url: http://b, model: a }]",
      [/^parley\.yaml:2:10 models\.0: another model has the same name/],
    ],
    [
      "models: [{ url: http://a, model: a, first_for: [chat] }, { url: http://b, model: b, first_for: [plan, chat] }]",
      [/models\.1\.first_for: another model is first for chat already/],
    ],
    ["prices: [{ model: a, input: -1, output: 1 }]", [/prices\.0\.input/]],
    [
      "prices: [{ model: a, input: 1, output: 1 }, { model: a, input: 1, output: 1 }]",
      [/prices\.1: another price is for the same model/],
    ],
    ["budgets: { limits: [{ of: task, per: day, tokens: 1 }] }", [/limits\.0\.per: `total` is for a task/]],
    ["budgets: { limits: [{ of: person, per: total, tokens: 1 }] }", [/limits\.0\.per: `total` is for a task/]],
    ["budgets: { limits: [{ of: person, per: day }] }", [/limits\.0: expected at least one of tokens, money, steps/]],
    [
      "budgets: { limits: [{ of: person, per: day, steps: 1 }, { of: person, per: day, money: 1 }] }",
      [/limits\.1: another entry has the same of and per/],
    ],
    ["budgets: { zone: Mars/Olympus }", [/budgets\.zone: is not a known time zone/]],
    ["budgets: { currency: dollars }", [/budgets\.currency: expected three capital letters/]],
  ])("%s", async (yaml, issues) => {
    const found = await issuesOf(yaml);
    expect(found).toHaveLength(issues.length);
    for (const [index, issue] of issues.entries()) expect(found[index]).toMatch(issue);
  });

  test("is not shown when it may be a secret", async () => {
    expect((await issuesOf("models: [{ url: http://a/v1, model: a, api_key: 'se cret' }]")).join()).not.toContain(
      "cret'",
    );
  });
});

describe("what does not go together is said", () => {
  test.each<[string, readonly RegExp[]]>([
    ["", []],
    ["prices: [{ model: gpt-4.1-mini, input: 1, output: 1 }]", []],
    ["prices: [{ model: other, input: 1, output: 1 }]", [/^prices\.0 is for a model that is not configured/]],
    ["budgets: { limits: [{ of: person, per: day, money: 1 }] }", []],
    [
      "ai: { url: http://a/v1, model: a }\nbudgets: { limits: [{ of: person, per: day, money: 1 }] }",
      [/these models have no price and count as free: a\.$/],
    ],
    ["ai: { url: http://a/v1, model: a }\nbudgets: { limits: [{ of: person, per: day, tokens: 1 }] }", []],
  ])("%s", async (yaml, warnings) => {
    const found = modelWarnings(await load(yaml));
    expect(found).toHaveLength(warnings.length);
    for (const [index, warning] of warnings.entries()) expect(found[index]).toMatch(warning);
  });
});
