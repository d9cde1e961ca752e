import type { Part, PlatformAdapter, SendContext } from "../../src/platforms/contract.ts";

/** What a platform was given to post. */
export interface Recorded {
  readonly part: Part;
  readonly context: SendContext;
}

/** An adapter that keeps what it is given: for what the core decides before any platform sees it. */
export function createRecordingAdapter(over: Partial<PlatformAdapter> = {}) {
  const sent: Recorded[] = [];
  const looks = new Set<() => void>();
  const adapter: PlatformAdapter = {
    name: "slack",
    sendSafety: "by-key",
    abilities: {
      edit: true,
      typing: true,
      stream: true,
      threads: true,
      buttons: true,
      files: true,
      reactions: false,
      ephemeral: true,
      history: false,
    },
    render: ({ text }) => [text],
    send(part, context) {
      sent.push({ part, context });
      for (const look of looks) look();
      return Promise.resolve({ postedId: `ts-${sent.length}` });
    },
    ...over,
  };
  return {
    adapter,
    sent,
    /** Resolves with the first part that meets the condition. */
    until: (condition: (part: Part) => boolean): Promise<Part> =>
      new Promise((resolve) => {
        const look = () => {
          const found = sent.find(({ part }) => condition(part));
          if (found === undefined) return;
          looks.delete(look);
          resolve(found.part);
        };
        looks.add(look);
        look();
      }),
  };
}
