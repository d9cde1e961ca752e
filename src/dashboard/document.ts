import { createHash } from "node:crypto";

/** What the page's document is made of. */
export interface DocumentParts {
  readonly botName: string;
  /** Module name to address. */
  readonly imports: ReadonlyMap<string, string>;
  /** Addresses of every module the page will need, fetched side by side instead of one after the other. */
  readonly modules: readonly string[];
  readonly styles: readonly string[];
  /** The module that begins. */
  readonly main: string;
  readonly icon: string;
}

/** The page's document and the policy it needs. Pure. */
export function renderDocument(parts: DocumentParts): { readonly html: string; readonly policy: string } {
  const importMap = escapeScript(JSON.stringify({ imports: Object.fromEntries(parts.imports) }));
  const name = escapeHtml(parts.botName);
  const html = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content" />
    <meta name="color-scheme" content="light dark" />
    <meta name="application-name" content="${name}" />
    <title>${name}</title>
    <link rel="icon" href="${escapeHtml(parts.icon)}" type="image/svg+xml" />
${parts.styles.map((href) => `    <link rel="stylesheet" href="${escapeHtml(href)}" />`).join("\n")}
    <script type="importmap">${importMap}</script>
${parts.modules.map((href) => `    <link rel="modulepreload" href="${escapeHtml(href)}" />`).join("\n")}
    <script type="module" src="${escapeHtml(parts.main)}"></script>
  </head>
  <body>
    <div id="app"></div>
    <noscript>This page needs JavaScript. Without it, talk to ${name} in a terminal: npx parley chat</noscript>
  </body>
</html>
`;
  return { html, policy: policyFor(importMap) };
}

/** Nothing but our own files runs or is loaded; the one inline script, the import map, is allowed by its hash. */
function policyFor(importMap: string): string {
  const hash = createHash("sha256").update(importMap).digest("base64");
  return [
    "default-src 'none'",
    `script-src 'self' 'sha256-${hash}'`,
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A `<` would let a module's name close the script. */
function escapeScript(json: string): string {
  return json.replaceAll("<", "\\u003c");
}
