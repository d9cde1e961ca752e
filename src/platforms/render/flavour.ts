/** Two strings around something; `again` is how it begins in a message that continues it. */
export interface Mark {
  readonly open: string;
  readonly close: string;
  readonly again?: string;
}

/** How a platform writes what markdown says. Pure data and functions: the order of things is the same everywhere. */
export interface Flavour {
  /** UTF-16 units of one message. */
  readonly limit: number;
  /** Text as it must be written so that people read it as it is, and nobody is called by it. */
  readonly escape: (text: string) => string;
  /** The same within code. */
  readonly escapeCode: (text: string) => string;
  readonly strong: Mark;
  readonly em: Mark;
  readonly strike: Mark;
  readonly code: (text: string) => string;
  readonly codeBlock: (language: string) => Mark;
  /** Only for addresses that lead somewhere by a click. */
  readonly link: (label: string, href: string) => string;
  readonly heading: (level: number) => Mark;
  /** Around a whole quote, or at the head of each of its lines. */
  readonly quote: Mark | { readonly eachLine: string };
  readonly rule: string;
}
