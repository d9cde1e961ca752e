/**
 * The words of a message in Telegram's HTML, for when it refuses the marks: nothing is left out, and an address stands
 * behind the words that led to it. Never longer than what it was made from.
 */
export function plainText(html: string): string {
  return html
    .replaceAll(/<a href="([^"]*)">(.*?)<\/a>/gs, (_, href: string, label: string) =>
      label === href ? label : `${label} (${href})`,
    )
    .replaceAll(/<\/?(?:b|i|u|s|code|pre|blockquote)(?: [^<>]*)?>/g, "")
    .replaceAll(/&(?:lt|gt|quot|amp);/g, (entity) => SIGNS[entity] ?? entity);
}

const SIGNS: Readonly<Record<string, string>> = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&amp;": "&" };
