import { expect, test } from "vitest";
import { configFolder } from "./environment.ts";

test.each([
  [{}, "config"],
  [{ PARLEY_CONFIG: "" }, "config"],
  [{ PARLEY_CONFIG: "/etc/parley" }, "/etc/parley"],
])("with %j the configuration folder is %s", (env, folder) => {
  expect(configFolder(env)).toBe(folder);
});
