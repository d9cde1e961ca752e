/** Follows an event stream until `signal` aborts. Resolves when it is open; events are handed over one after the other. */
export async function followEvents(
  url: string,
  signal: AbortSignal,
  onEvent: (event: string, data: unknown) => Promise<void> | void,
): Promise<void> {
  const response = await fetch(url, { signal });
  if (response.body === null || !response.ok) throw new Error(`${url} answered ${response.status}`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  void (async () => {
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const event = /^event: (.*)$/m.exec(block)?.[1];
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (event !== undefined && data !== undefined) await onEvent(event, JSON.parse(data));
      }
    }
  })().catch(() => {});
}
