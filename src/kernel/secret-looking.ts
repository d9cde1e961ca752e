/** What is written in place of a secret. */
export const SECRET_MARK = "[secret]";

/** The text with everything that has the shape of a credential taken out. */
export function hideCredentials(text: string): string {
  let hidden = text;
  for (const [pattern, replacement] of CREDENTIALS) hidden = hidden.replace(pattern, replacement);
  return hidden;
}

/** Whether a value under this name is a secret, as far as the name tells. */
export function namesSecret(name: string): boolean {
  return SECRET_KEY.test(name.toLowerCase().replaceAll(/[^a-z0-9]/g, ""));
}

const SECRET_KEY =
  /(authorization|apikey|accesskey|privatekey|masterkey|token|password|passwd|passphrase|secret|secrets|cookie|credential|credentials)$/;

// Every repetition has an end, or a long line without blanks would take time that grows with its square.
const CREDENTIALS: readonly (readonly [RegExp, string])[] = [
  // user:password@ in an address
  [/\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/?#"'<>]{0,1000}@/gi, `$1${SECRET_MARK}@`],
  // Authorization headers
  [/\b(bearer)\s{1,5}[\w.~+/=-]{8,4000}/gi, `$1 ${SECRET_MARK}`],
  [/\b(basic)\s{1,5}[A-Za-z0-9+/]{16,4000}={0,2}/gi, `$1 ${SECRET_MARK}`],
  // ?token=… and password=…
  [
    /\b((?:[\w-]{0,40}[_-])?(?:api_?key|access_?key|token|password|passwd|secret|signature)=)[^\s&"'<>]{1,4000}/gi,
    `$1${SECRET_MARK}`,
  ],
  // "token": "…" in JSON that was put into text
  [
    /("(?:[\w-]{0,40}[_-])?(?:api_?key|access_?key|token|password|passwd|secret|authorization)"\s{0,5}:\s{0,5}")[^"]{1,4000}/gi,
    `$1${SECRET_MARK}`,
  ],
  // keys by the shape their makers gave them: OpenAI and ours, Slack, Telegram
  [/\b(?:sk|pk|xox[a-z]|xapp)[_-][\w-]{16,400}/g, SECRET_MARK],
  [/(?<!\d)\d{8,10}:AA[\w-]{33}/g, SECRET_MARK],
];
