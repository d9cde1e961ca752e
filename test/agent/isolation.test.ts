import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, expect, test } from "vitest";
import type { ConversationId, WorkspaceId } from "../../src/kernel/ids.ts";
import { parseRunId, parseWorkspaceId } from "../../src/kernel/ids.ts";
import { privateRedis } from "../setup/redis.ts";
import { openLab } from "./lab.ts";
import { call, say, type Asked, type Reply, type WireCall } from "./model-server.ts";

// Whatever a person says or keeps carries a marker with the place it belongs to. Every command Redis gets, every prompt,
// every log line, every answer and every view of a run is searched for markers that do not belong there.

const server = await privateRedis({ until: afterAll });
const lab = await openLab({
  database: { path: server.socketPath, db: 0 },
  // Little is kept in sight, so that summaries are made as well.
  settings: "ai:\n  history_messages: 6\ncontext:\n  summary_tokens: 200\n",
});
const commands: string[] = [];
const watcher = new Redis({ path: server.socketPath });
const monitor = await watcher.monitor();
monitor.on("monitor", (_time: string, args: readonly string[]) => commands.push(args.join(" ")));
afterAll(async () => {
  await lab.close();
  monitor.disconnect();
  watcher.disconnect();
});

const PEOPLE = ["ana", "bob", "cem"] as const;

/** The chats of one round of the property, and who may be in them. `named`: the platform says who speaks. */
const CHATS = [
  { members: [0], named: false },
  { members: [1], named: false },
  { members: [2], named: false },
  { members: [0, 1], named: true },
  { members: [0, 1, 2], named: true },
  { members: [1, 2], named: false },
] as const;

interface Chat {
  readonly id: ConversationId;
  readonly named: boolean;
  readonly members: readonly WorkspaceId[];
  readonly spoke: Set<WorkspaceId>;
}

const doing = fc.constantFrom(
  "say",
  "say",
  "say",
  "remember",
  "recall",
  "pry",
  "secret",
  "forget",
  "/status",
  "/debug",
  "/where",
  "/memory",
  "/new",
);
const step = fc.record({ chat: fc.nat(CHATS.length - 1), who: fc.nat(2), what: doing });
/** What happens at the same time: nothing twice in one chat, so that it is known who was there. */
const round = fc.uniqueArray(step, { minLength: 1, maxLength: 4, selector: ({ chat }) => chat });

/** The model does what the message says, with whatever arguments it may think of. */
const converse: Reply = (response, asked) => {
  const text = asked.messages.findLast(({ role }) => role === "user")?.content ?? "";
  const [, verb = "", argument = ""] = /(say|remember|recall|pry|forget)(?: (\S+))?/.exec(text) ?? [];
  const calls = asked.messages.at(-1)?.role === "user" ? callsFor(verb, argument) : [];
  return (calls.length > 0 ? call(...calls) : say(`You said: ${text}`))(response, asked);
};

function callsFor(verb: string, argument: string): WireCall[] {
  const asOther = { workspaceId: argument, workspace_id: argument, user_id: argument };
  switch (verb) {
    case "remember":
      return [{ name: "memory_set", args: { key: "note", value: argument } }];
    case "recall":
      return [{ name: "memory_list" }, { name: "memory_search", args: { query: "kept" } }];
    case "pry":
      return [
        { name: "memory_get", args: { key: "note", ...asOther } },
        { name: "memory_list", args: { prefix: "", ...asOther } },
        { name: "memory_get", args: { key: `{ws:${argument}}:memory` } },
        { name: "memory_search", args: { query: "kept hush note pin", ...asOther } },
      ];
    case "forget":
      return [{ name: "memory_delete", args: { key: "note" } }];
    default:
      return [];
  }
}

const summarise: Reply = (response, asked) =>
  say(`So far: ${[...new Set((asked.messages[1]?.content ?? "").match(MARKER))].slice(-4).join(" ")}`)(response, asked);

const MARKER = /\b(?:said|kept|hush)-\w+-\d+-\d+\b/g;
let rounds = 0;
let marks = 0;

test("nothing of one person is ever seen in the place of another", { timeout: 60_000 }, async () => {
  lab.model.otherwise(converse);
  lab.model.onSummary(summarise);
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 12, maxLength: 25 }), async (story) => {
      rounds += 1;
      const people = PEOPLE.map((name) => parseWorkspaceId(`${name}-${rounds}`));
      const chats = CHATS.map(({ members, named }): Chat => ({
        id: lab.conversation(),
        named,
        members: members.flatMap((index) => people[index] ?? []),
        spoke: new Set(),
      }));
      for (const steps of story) {
        await Promise.all(steps.map(({ chat, who, what }) => act(chats[chat], who, what, people)));
        await look(chats);
      }
    }),
    { numRuns: 8 },
  );
  // The search found markers where they belong, and summaries were among the prompts.
  const everything = [...lab.model.requests, ...lab.model.summaries].map(({ raw }) => raw).join("\n");
  for (const kind of ["said", "kept"])
    expect(everything.match(new RegExp(`\\b${kind}-`, "g"))?.length).toBeGreaterThan(50);
  expect(lab.model.summaries.length).toBeGreaterThan(10);
  expect(seen.size).toBeGreaterThan(100);
});

async function act(chat: Chat | undefined, who: number, what: string, people: readonly WorkspaceId[]): Promise<void> {
  const person = chat?.members[who % chat.members.length];
  if (chat === undefined || person === undefined) return;
  const alone = chat.members.length === 1;
  const mark = (kind: string) => `${kind}-${person}-${(marks += 1)}`;
  if (what === "secret") {
    await lab.runtime().memory.set(person, { key: "pin", value: mark("hush"), secret: true, at: 1 });
    return;
  }
  // What a person's own tools or commands show they show to whoever is there, so these are asked for in private.
  const inPrivate = ["remember", "recall", "pry", "forget", "/memory"].includes(what);
  const verb = inPrivate && !alone ? "say" : what;
  const other = people[(people.indexOf(person) + 1) % people.length] ?? person;
  const argument =
    verb === "remember" ? mark("kept") : verb === "pry" ? other : `said-c-${numberOf(chat.id)}-${(marks += 1)}`;
  chat.spoke.add(person);
  const more = { workspaceId: person, ...(chat.named ? { authorName: person } : {}) };
  const { id } = await lab.send(chat.id, verb.startsWith("/") ? verb : `${verb} ${argument}`, more);
  await lab.answerTo(chat.id, id);
}

/** A marker is `said-c-<chat>-<n>`, `kept-<person>-<round>-<n>` or `hush-<person>-<round>-<n>`. */
function belongs(marker: string, chat: Chat): boolean {
  const [kind = "", , owner = ""] = marker.split("-");
  if (kind === "said") return owner === numberOf(chat.id);
  // Where somebody else reads along nothing that was kept may appear; secrets may appear nowhere.
  return kind === "kept" && !chat.named && chat.spoke.size === 1 && [...chat.spoke].includes(personOf(marker));
}

function personOf(marker: string): WorkspaceId {
  return parseWorkspaceId(marker.split("-").slice(1, 3).join("-"));
}

const numberOf = (id: string) => id.split("-").at(-1) ?? "";
const seen = new Set<string>();
const placeOfToken = new Map<string, string>();
let checked = { requests: 0, summaries: 0, log: 0 };

async function look(chats: readonly Chat[]): Promise<void> {
  const chatOf = (id: string | undefined) => chats.find((chat) => chat.id === id);
  const wrong: string[] = [];
  const search = (where: string, text: string, chat: Chat | undefined) => {
    for (const marker of text.match(MARKER) ?? []) {
      seen.add(marker);
      if (chat === undefined || !belongs(marker, chat)) wrong.push(`${marker} in ${where}: ${text.slice(0, 300)}`);
    }
  };

  const { requests, summaries } = lab.model;
  for (const asked of [...requests.slice(checked.requests), ...summaries.slice(checked.summaries)]) {
    const run = await lab.runtime().door.run(parseRunId(runOf(asked)));
    search(`the prompt of ${run?.conversationId}`, asked.raw, chatOf(run?.conversationId));
    search("the view of a run", JSON.stringify(run), chatOf(run?.conversationId));
  }
  for (const line of lab.log.slice(checked.log)) search("the log", line, undefined);
  checked = { requests: requests.length, summaries: summaries.length, log: lab.log.length };

  for (const chat of chats) {
    search("live events", JSON.stringify(lab.events(chat.id)), chat);
    search("the transcript", JSON.stringify(await lab.runtime().door.transcript(chat.id)), chat);
  }
  for (const command of commands.splice(0)) {
    // The journal of a run that is under way is named after its holder's token, which is given to one lane only.
    const [, place = "", token] =
      new RegExp(`^RENAME \\S+${PREFIX}-(\\d+) \\{p\\d+\\}j:(\\S+)`, "i").exec(command) ?? [];
    if (token !== undefined) {
      expect(placeOfToken.get(token) ?? place).toBe(place);
      placeOfToken.set(token, place);
    }
    for (const marker of command.match(MARKER) ?? []) {
      const [kind = "", , owner = ""] = marker.split("-");
      const people = [...command.matchAll(/\{ws:([^}]+)\}/g)].map(([, id]) => id);
      const places = [
        ...[...command.matchAll(new RegExp(`${PREFIX}-(\\d+)`, "g"))].map(([, number]) => number),
        ...[...command.matchAll(/\{p\d+\}j:(\S+)/g)].map(([, owner = ""]) => placeOfToken.get(owner)),
      ];
      const stray =
        kind === "said"
          ? people.length > 0 || places.length === 0 || places.some((number) => number !== owner)
          : people.some((id) => id !== personOf(marker)) ||
            (kind === "hush" && people.length === 0) ||
            places.some((number) => !chats.some((chat) => numberOf(chat.id) === number && belongs(marker, chat)));
      if (stray) wrong.push(`${marker} in a command: ${command.slice(0, 300)}`);
    }
  }
  expect(wrong).toEqual([]);
}

const PREFIX = lab.conversation().replace(/-\d+$/, "");

const runOf = ({ headers }: Asked): string => String(headers["x-parley-run"]);
