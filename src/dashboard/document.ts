/** What the page's document is made of. */
export interface DocumentParts {
  readonly botName: string;
  /** Addresses of every module the page will need, fetched side by side instead of one after the other. */
  readonly modules: readonly string[];
  readonly styles: readonly string[];
  /** The module that begins. */
  readonly main: string;
  readonly icon: string;
}

/** The page's document. Pure. */
export function renderDocument(parts: DocumentParts): string {
  const name = escapeHtml(parts.botName);
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content" />
    <meta name="color-scheme" content="light dark" />
    <meta name="application-name" content="${name}" />
    <title>${name}</title>
    <link rel="icon" href="${escapeHtml(parts.icon)}" type="image/svg+xml" />
${parts.styles.map((href) => `    <link rel="stylesheet" href="${escapeHtml(href)}" />`).join("\n")}
${parts.modules.map((href) => `    <link rel="modulepreload" href="${escapeHtml(href)}" />`).join("\n")}
    <script type="module" src="${escapeHtml(parts.main)}"></script>
  </head>
  <body>
    <div id="app"></div>
    <noscript>This page needs JavaScript. Without it, talk to ${name} in a terminal: npx parley chat</noscript>
  </body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
