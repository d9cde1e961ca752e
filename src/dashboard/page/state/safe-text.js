// @ts-check

const PROTOCOLS = new Set(["http:", "https:", "mailto:"]);

/**
 * An address that may be followed, as the browser will read it; undefined for anything that is not a whole address on
 * the web or of a mailbox.
 * @param {string} href
 */
export function safeHref(href) {
  const url = URL.parse(decodeEntities(href));
  return url !== null && PROTOCOLS.has(url.protocol) ? url.href : undefined;
}

const NAMED = new Map(
  Object.entries({
    amp: "&",
    lt: "<",
    gt: ">",
    quot: '"',
    apos: "'",
    nbsp: "\u00a0",
    copy: "©",
    reg: "®",
    trade: "™",
    hellip: "…",
    ndash: "–",
    mdash: "—",
    lsquo: "‘",
    rsquo: "’",
    ldquo: "“",
    rdquo: "”",
    bull: "•",
    middot: "·",
    deg: "°",
    times: "×",
    divide: "÷",
    plusmn: "±",
    rarr: "→",
    larr: "←",
    euro: "€",
    pound: "£",
  }),
);

/**
 * Text with its character references read, as Markdown wants it. An unknown one stays as it was written.
 * @param {string} text
 */
export function decodeEntities(text) {
  if (!text.includes("&")) return text;
  return text.replace(/&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z]{2,8});/gi, (whole) => {
    const name = whole.slice(1, -1);
    return name.startsWith("#") ? characterOf(name.slice(1)) : (NAMED.get(name) ?? whole);
  });
}

/** @param {string} number decimal, or hexadecimal after an x */
function characterOf(number) {
  const code = /^x/i.test(number) ? Number.parseInt(number.slice(1), 16) : Number(number);
  const isCharacter = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return isCharacter ? String.fromCodePoint(code) : "\ufffd";
}
