import { z } from "zod";
import { PermissionsBitField } from "discord.js";
import type { DeliveryId } from "../../../src/kernel/ids.ts";
import type { FileRef, OutboundMessage } from "../../../src/kernel/messages.ts";
import { silentLog, systemClock } from "../../../src/kernel/ports.ts";
import { partsOf } from "../../../src/delivery/parts.ts";
import type { Button } from "../../../src/platforms/contract.ts";
import { commandDefinitions } from "../../../src/platforms/discord/command-list.ts";
import { openDiscordWorld } from "./world.ts";

/** An answer as the model wrote it, and what else goes with it. */
interface Sample {
  readonly title: string;
  readonly text: string;
  readonly kind?: OutboundMessage["kind"];
  readonly buttons?: readonly Button[];
  readonly file?: true;
}

const FILE: FileRef = {
  artifact_id: "a1",
  name: "report.csv",
  media_type: "text/csv",
  bytes: 12,
  user_id: "discord:1" as FileRef["user_id"],
};

const SAMPLES: readonly Sample[] = [
  {
    title: "Formatting",
    text: "# Report\n\nA **bold** claim, *stressed*, ~~withdrawn~~, with `code` and a [link](https://example.com/a?b=1&c=2).\n\n1. first\n2. second\n   - nested\n\n> a quote\n> of two lines",
  },
  {
    title: "Text that looks like markup, and names that call nobody",
    text: "snake_case_name, 2 * 3 * 4, <tag> & more; @everyone and <@42> are not called.",
  },
  { title: "A table", text: "| name | size |\n|---|---:|\n| alpha | 10 |\n| beta | 200 |" },
  {
    title: "Code that is too long for one message",
    text: `This is the file:\n\n\`\`\`python\n${Array.from({ length: 60 }, (_, line) => `print("this is line ${line} of a file with many")`).join("\n")}\n\`\`\`\n\nThat was all.`,
  },
  {
    title: "A question with choices",
    text: "Which colour?",
    kind: "question",
    buttons: [
      { label: "Red", token: "token-of-red", style: "plain" },
      { label: "Blue", token: "token-of-blue", style: "plain" },
    ],
  },
  {
    title: "An approval",
    text: 'May I call `web_fetch` with\n\n```json\n{ "url": "https://example.com" }\n```',
    kind: "approval",
    buttons: [
      { label: "Approve", token: "token-of-yes", style: "yes" },
      { label: "Deny", token: "token-of-no", style: "no" },
    ],
  },
  { title: "A file", text: "Here it is.", file: true },
];

const bodySchema = z.object({ content: z.string().optional(), components: z.array(z.unknown()).optional() });

/** What Discord gets for a fixed set of answers, in markdown: each message's words, and what goes with them. */
async function renderTranscripts(): Promise<string> {
  const world = await openDiscordWorld();
  const adapter = world.adapter({
    clock: systemClock,
    log: silentLog,
    notes: {
      read: () => Promise.resolve(undefined),
      write: () => Promise.resolve(),
      keep: (_key, value) => Promise.resolve(value),
      reach: () => Promise.resolve(),
      reached: () => Promise.resolve([]),
    },
    readFile: () => Promise.resolve(Buffer.from("name,size\na,1")),
  });
  const chat = world.direct("Ana");
  const texts: string[] = [];
  try {
    for (const [index, { title, text, kind = "answer", buttons = [], file }] of SAMPLES.entries()) {
      const message: OutboundMessage = {
        id: `transcript${index}:finish:0` as DeliveryId,
        conversationId: chat.conversation(""),
        kind,
        text,
        answers: [],
        at: 0,
        ...(file === true ? { files: [FILE] } : {}),
      };
      const before = world.server.calls.length;
      for (const part of partsOf(message, adapter, buttons))
        await adapter.send(part, { repeatSince: undefined, draft: undefined, signal: AbortSignal.timeout(15_000) });
      const bodies = world.server.calls
        .slice(before)
        .filter(({ method }) => method === "POST")
        .map(({ body }) => bodySchema.parse(body));
      const shown = world.shown(chat).slice(-bodies.length);
      texts.push(
        `### ${title}`,
        fenced(text, "markdown"),
        "becomes",
        ...bodies.map((body, at) => messageText(body, shown[at]?.files ?? [])),
      );
    }
  } finally {
    await adapter.close?.();
    await world.close();
  }
  return texts.join("\n\n");
}

function messageText(
  { content, components }: z.output<typeof bodySchema>,
  files: readonly { readonly name: string; readonly mimeType: string }[],
): string {
  return [
    ...(content === undefined ? [] : [fenced(content, "text")]),
    ...(components === undefined ? [] : [`with \`${JSON.stringify(components)}\``]),
    ...files.map(({ name, mimeType }) => `with the file \`${name}\` (${mimeType})`),
  ].join("\n\n");
}

function fenced(text: string, language: string): string {
  return `\`\`\`\`${language}\n${text}\n\`\`\`\``;
}

function renderCommands(): string {
  return commandDefinitions()
    .flatMap(({ name, description, options = [] }) => [
      `- \`/${name}\`: ${description}`,
      ...options.map((option) => `  - \`${option.name}\`: ${option.description}`),
    ])
    .join("\n");
}

/** The permissions that the bot needs, by Discord's names for them. */
const PERMISSIONS = [
  "ViewChannel",
  "SendMessages",
  "SendMessagesInThreads",
  "CreatePublicThreads",
  "AttachFiles",
  "ReadMessageHistory",
] as const;

function renderInvitation(): string {
  const permissions = new PermissionsBitField([...PERMISSIONS]).bitfield.toString();
  const names = PERMISSIONS.map((name) => name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, " "));
  return [
    "```text",
    `https://discord.com/oauth2/authorize?client_id=APPLICATION_ID&scope=bot+applications.commands&permissions=${permissions}`,
    "```",
    "",
    `The number stands for ${names.join(", ")}.`,
  ].join("\n");
}

/** The text of `docs/platforms/discord.md` with everything in it that is made from the code. */
export async function fillDocument(text: string): Promise<string> {
  const made = { invitation: renderInvitation(), commands: renderCommands(), transcripts: await renderTranscripts() };
  return Object.entries(made).reduce((filled, [name, content]) => {
    const marks = new RegExp(`(<!-- ${name}: [^>]*-->\\n)[\\s\\S]*?(<!-- end of ${name} -->)`);
    if (!marks.test(filled)) throw new Error(`The document has no place for ${name}`);
    return filled.replace(marks, (_all, head: string, tail: string) => `${head}\n${content}\n\n${tail}`);
  }, text);
}
