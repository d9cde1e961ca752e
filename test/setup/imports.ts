/**
 * The specifiers a module imports or re-exports: static, type-only, for side effects, dynamic with a literal, and in
 * types. Comments and the insides of strings and templates are not taken for imports.
 */
export function parseImports(source: string): string[] {
  const { code, strings } = setStringsAside(source);
  const patterns = [
    /\b(?:import|export)\b(?:\s+type)?\s*(?:[\w$*\s{},]|"\d+")*?\bfrom\s*"(\d+)"/g,
    /\bimport\s*"(\d+)"/g,
    /\bimport\s*\(\s*"(\d+)"/g,
  ];
  return patterns.flatMap((pattern) => [...code.matchAll(pattern)].map(([, index]) => strings[Number(index)] ?? ""));
}

/** One circle in a graph of modules, first and last member the same, or undefined when there is none. */
export function findCycle(graph: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const finished = new Set<string>();
  const visit = (node: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (finished.has(node)) return undefined;
    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next, [...path, node]);
      if (cycle !== undefined) return cycle;
    }
    finished.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const cycle = visit(node, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

// A string, a template, a comment, or a regular expression where one can begin: after an operator, a bracket, a comma
// or a keyword, never after a value. Without the last, a quote inside an expression would open a string.
const TOKEN =
  /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|\/\/[^\n]*|\/\*[\s\S]*?\*\/|(?<=[(,=:[!&|?{};+>]\s*|\b(?:return|case|of|in)\s+)\/(?![/*])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/g;

/** Replaces every string by its number in quotes and drops comments, templates and regular expressions. */
function setStringsAside(source: string): { code: string; strings: string[] } {
  const strings: string[] = [];
  const code = source.replace(TOKEN, (token) => {
    if (token.startsWith('"') || token.startsWith("'")) return `"${strings.push(token.slice(1, -1)) - 1}"`;
    return token.startsWith("`") ? "``" : " ";
  });
  return { code, strings };
}
