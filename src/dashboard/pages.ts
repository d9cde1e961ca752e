/** Placeholder until the page is written. */
export function createPages() {
  return { fetch: (_request: Request): Promise<Response | undefined> => Promise.resolve(undefined) };
}
