/** The configuration cannot be used. Each issue says where and what in one line, and never shows a value. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly issues: readonly string[];

  constructor(issues: readonly string[], options: { cause?: unknown } = {}) {
    super(`The configuration cannot be used:\n${issues.map((issue) => `  ${issue}`).join("\n")}`, options);
    this.issues = issues;
  }
}
