import { setImmediate as turn } from "node:timers/promises";
import type { ConversationId, DeliveryId, WorkspaceId } from "../../../src/kernel/ids.ts";
import type { OutboundMessage } from "../../../src/kernel/messages.ts";
import { silentLog, systemClock } from "../../../src/kernel/ports.ts";
import type { Button, Part } from "../../../src/platforms/contract.ts";
import { Recorder, memoryNotes } from "./recorder.ts";
import { openTelegramWorld } from "./world.ts";

interface Said {
  readonly title: string;
  readonly markdown: string;
  readonly kind?: OutboundMessage["kind"];
  readonly buttons?: readonly Button[];
  readonly repeat?: true;
  readonly refused?: true;
  readonly file?: true;
  /** The label of the button that is pressed afterwards. */
  readonly press?: string;
}

const APPROVE: readonly Button[] = [
  { label: "Approve", token: "token-of-approve", style: "yes" },
  { label: "Deny", token: "token-of-deny", style: "no" },
];

const SAID: readonly Said[] = [
  {
    title: "Words, lists and links",
    markdown:
      "# Three things\n\n**First**, *second* and ~~third~~ with `a < b`.\n\n- one\n- two, see [the page](https://example.com/?a=1&b=2)\n\n> said before\n\nWrite to @somebody.",
  },
  { title: "A table", markdown: "| name | size |\n|---|---|\n| alpha | 10 |\n| beta | 200 |" },
  {
    title: "A table too wide for a phone",
    markdown:
      "| name | what it is | where it is kept |\n|---|---|---|\n| alpha | the first letter of the alphabet | on the upper shelf |",
  },
  { title: "Code", markdown: '```python\nif a < b & c:\n    print("<b>")\n```' },
  {
    title: "Code longer than a message",
    markdown: `\`\`\`\n${Array.from({ length: 250 }, (_, line) => `line ${line + 1} of the log`).join("\n")}\n\`\`\`\nThat is all.`,
  },
  {
    title: "An approval, and after “Approve” was pressed",
    kind: "approval",
    markdown: 'May I run **delete_file** with this?\n\n```json\n{"path": "notes.md"}\n```',
    buttons: APPROVE,
    press: "Approve",
  },
  {
    title: "A question",
    kind: "question",
    markdown: "Which colour?",
    buttons: [
      { label: "Red", token: "token-of-red", style: "plain" },
      { label: "Blue", token: "token-of-blue", style: "plain" },
    ],
  },
  { title: "An answer that may have arrived before", markdown: "Here it is.", repeat: true },
  { title: "When Telegram refuses the marks", markdown: "**Bold** and [a link](https://example.com)", refused: true },
  { title: "A file", markdown: "", file: true },
];

/** What Telegram got for a fixed set of answers, as the part of the document that shows it. */
export async function telegramTranscripts(): Promise<string> {
  const sections: string[] = [];
  for (const said of SAID) sections.push(await transcriptOf(said));
  return sections.join("\n\n");
}

async function transcriptOf(said: Said): Promise<string> {
  const world = await openTelegramWorld();
  const adapter = world.adapter({
    clock: systemClock,
    log: silentLog,
    notes: memoryNotes(),
    readFile: () => Promise.resolve(Buffer.from("# made here")),
  });
  const stopping = new AbortController();
  const gateway = new Recorder(() => {});
  gateway.told = { notice: "Approved.", outcome: "Approved by Ana." };
  const listening = adapter.listener?.listen?.({ gateway, signal: stopping.signal, report() {}, heard() {} });
  try {
    const chat = world.direct("Ana");
    if (said.refused === true) world.fault({ kind: "markup-refused" });
    for (const part of partsOf(said, adapter.render.bind(adapter), chat.conversation("")))
      await adapter.send(part, {
        repeatSince: said.repeat === true ? 1 : undefined,
        draft: undefined,
        signal: stopping.signal,
      });
    const calls = world.api.calls.filter(({ method }) => method.startsWith("send")).map(describeCall);
    const card = world.shown(chat).at(-1);
    if (said.press !== undefined && card !== undefined) {
      await world.press(chat, "Ana", card, said.press);
      const edits = () => world.api.calls.filter(({ method }) => method.startsWith("edit"));
      while (edits().length === 0) await turn();
      calls.push(...edits().map(describeCall));
    }
    const heading = `### ${said.title}`;
    const given = said.file === true ? "The file `notes.md`." : shorten(fence("markdown", said.markdown));
    return [heading, given, "Telegram gets:", ...calls].join("\n\n");
  } finally {
    stopping.abort();
    await listening;
    await adapter.close?.();
    await world.close();
  }
}

function partsOf(
  { markdown, kind = "answer", buttons = [], file }: Said,
  render: (message: OutboundMessage) => readonly string[],
  conversationId: ConversationId,
): readonly Part[] {
  const common = { conversationId, kind, answers: [] };
  const id = (part: number) => `run:answer:${part}` as DeliveryId;
  if (file === true) {
    const ref = {
      artifact_id: "a1",
      name: "notes.md",
      media_type: "text/markdown",
      bytes: 11,
      user_id: "telegram:1000" as WorkspaceId,
    };
    return [{ ...common, id: id(0), text: "", buttons: [], file: ref }];
  }
  const texts = render({
    ...common,
    id: id(0),
    text: markdown,
    ...(kind === "question" ? { choices: buttons.map(({ label }) => label) } : {}),
    at: 0,
  });
  return texts.map((text, index) => ({
    ...common,
    id: id(index),
    text,
    buttons: index === texts.length - 1 ? buttons : [],
  }));
}

function describeCall({ method, args }: { readonly method: string; readonly args: Record<string, unknown> }): string {
  const { chat_id: _chat, message_id: _message, text, document, link_preview_options: _preview, ...rest } = args;
  const facts = Object.entries(rest).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  const words = typeof text === "string" ? text : "";
  const attached = document === undefined ? [] : ["document: notes.md, uploaded"];
  const head = [`\`${method}\``, ...[...facts, ...attached].map((fact) => `\`${fact}\``)].join(", ");
  return words === "" ? head : `${head}\n\n${shorten(fence("", words))}`;
}

const fence = (language: string, text: string): string => `~~~~${language}\n${text}\n~~~~`;

/** Long ones show how they begin and how they end. */
function shorten(text: string): string {
  const lines = text.split("\n");
  if (lines.length <= 30) return text;
  return [...lines.slice(0, 5), `… ${lines.length - 9} lines more …`, ...lines.slice(-4)].join("\n");
}
