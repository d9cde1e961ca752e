/** The URL under which something that listens on `host` is reached from this machine, without a slash at the end. */
export function localUrl(host: string, port: number): string {
  const reached = REACHED_AT[host] ?? host;
  return `http://${reached.includes(":") && !reached.startsWith("[") ? `[${reached}]` : reached}:${port}`;
}

// "All addresses" is something to listen on, not to connect to.
const REACHED_AT: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1", "[::]": "::1" };
