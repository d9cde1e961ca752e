import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import type { DeliveryId } from "../../../src/kernel/ids.ts";
import type { OutboundMessage } from "../../../src/kernel/messages.ts";
import { buttonsOf } from "../../../src/kernel/presses.ts";
import { partsOf } from "../../../src/delivery/parts.ts";
import { BOT_SCOPES, EVENTS } from "../../../src/platforms/slack/methods.ts";
import { firstTry, slackLab } from "./lab.ts";

const PAGE = new URL("../../../docs/platforms/slack.md", import.meta.url);
const MANIFEST = new URL("../../../docs/platforms/slack-manifest.yaml", import.meta.url);

test("the manifest asks for exactly the scopes and events that the code uses", () => {
  const manifest = parse(readFileSync(MANIFEST, "utf8")) as {
    oauth_config: { scopes: { bot: string[] } };
    settings: { event_subscriptions: { bot_events: string[] }; socket_mode_enabled: boolean };
    features: { slash_commands: { command: string }[] };
  };

  expect(manifest.oauth_config.scopes.bot).toEqual(BOT_SCOPES);
  expect(manifest.settings.event_subscriptions.bot_events).toEqual(Object.keys(EVENTS).toSorted());
  expect(manifest.settings.socket_mode_enabled).toBe(true);
  expect(manifest.features.slash_commands.map(({ command }) => command)).toEqual(["/parley"]);
});

const ANSWERS: readonly { readonly title: string; readonly message: Partial<OutboundMessage> }[] = [
  {
    title: "Emphasis, a link, signs that mean something to Slack",
    message: {
      text: "**Bold**, *slanted*, ~~gone~~, `code`; see [our site](https://example.com/a?b=1&c=2). 2 < 3 & <!here> calls nobody.",
    },
  },
  { title: "Headings and lists", message: { text: "## Plan\n\n1. First\n2. Then\n   - this\n   - that\n\n> quoted" } },
  { title: "A table", message: { text: "| name | value |\n| --- | ---: |\n| alpha | 1 |\n| beta | 20 |" } },
  { title: "Code", message: { text: "```ts\nif (a < b && c) return `x`;\n```" } },
  {
    title: "Code that is too long for one message",
    message: {
      text: `\`\`\`\n${Array.from({ length: 120 }, (_, line) => `line ${line + 1} ${"·".repeat(40)}`).join("\n")}\n\`\`\``,
    },
  },
  { title: "A question", message: { kind: "question", text: "Which colour?", choices: ["Red", "Blue"] } },
  {
    title: "An approval",
    message: {
      kind: "approval",
      text: "May I use **send_mail**?",
      approval: {
        id: "ap1",
        tool: "send_mail",
        arguments: '{ "to": "ana@example.com" }',
        reason: "It cannot be taken back.",
        askedOf: "slack:U1" as never,
        askedAt: 0,
        expiresAt: 1,
      },
    },
  },
  {
    title: "An error",
    message: { kind: "error", text: "I could not finish this: the model is not available. (run 4f2a)" },
  },
];

test("the page shows what Slack gets for a fixed set of answers", async () => {
  const { world, adapter } = await slackLab();
  const chat = world.direct("Ana");
  const sections: string[] = [];
  for (const { title, message } of ANSWERS) {
    const outbound: OutboundMessage = {
      id: "run:final:0" as DeliveryId,
      conversationId: chat.conversation(""),
      kind: "answer",
      text: "",
      answers: [],
      at: 0,
      ...message,
    };
    const before = world.server.space.messages.length;
    for (const part of partsOf(outbound, adapter, buttonsOf(outbound))) await adapter.send(part, firstTry());
    const posted = world.server.space.messages.slice(before);
    const shown = posted.map(({ text, blocks }) => {
      const buttons = (blocks ?? [])
        .filter(({ type }) => type === "actions")
        .flatMap(({ elements }) => elements as { text: { text: string } }[])
        .map((element) => `[${element.text.text}]`);
      const lines = text.split("\n");
      const cut =
        lines.length <= 12 ? lines : [...lines.slice(0, 3), `… ${lines.length - 6} lines …`, ...lines.slice(-3)];
      return ["````", ...cut, ...(buttons.length === 0 ? [] : [buttons.join(" ")]), "````"].join("\n");
    });
    sections.push(`### ${title}\n\n${shown.join("\n\n")}`);
  }
  expect(world.server.refusals).toEqual([]);

  const page = readFileSync(PAGE, "utf8");
  const expected = page.replace(
    /(<!-- transcripts -->\n)[^]*(<!-- \/transcripts -->)/,
    (_, open: string, close: string) => `${open}\n${sections.join("\n\n")}\n\n${close}`,
  );
  // `UPDATE_PAGES=1` writes the page anew.
  if (process.env["UPDATE_PAGES"] === "1") writeFileSync(PAGE, expected);
  expect(readFileSync(PAGE, "utf8")).toBe(expected);
  expect(page).toContain("### A question");
});
