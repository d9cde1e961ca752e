import { parseConversationId, parseWorkspaceId } from "../../src/kernel/ids.ts";
import { createRecordedPlatform } from "../../src/platforms/recorded.ts";
import { followEvents } from "./follow-events.ts";
import type { Chat, Shown, World, WorldFile } from "./world.ts";

interface Delivery {
  readonly id: string;
  readonly text: string;
  readonly choices?: readonly string[] | null;
  readonly files?: readonly { readonly name: string; readonly media_type: string; readonly url: string }[] | null;
}

/** The web page and the terminal, as they talk to the program: over its API, with its event stream. */
export function openWebWorld(platform: "web" | "terminal"): World {
  let base = "";
  let sent = 0;
  const chats = new Map<string, WebChat>();
  const closing = new AbortController();

  interface WebChat extends Chat {
    readonly person: string;
    readonly seen: Shown[];
    readonly looks: Set<() => void>;
    following: Promise<void> | undefined;
  }

  async function call(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  function chatOf(person: string): WebChat {
    const id = parseConversationId(`${platform}:${person}`);
    const chat: WebChat = chats.get(person) ?? {
      person,
      direct: true,
      conversation: () => id,
      seen: [],
      looks: new Set(),
      following: undefined,
    };
    chats.set(person, chat);
    return chat;
  }

  async function follow(chat: WebChat): Promise<void> {
    const url = `${base}/v1/conversations/${encodeURIComponent(chat.conversation(""))}/events`;
    await followEvents(url, closing.signal, async (event, data) => {
      if (event !== "delivery") return;
      const { delivery } = data as { delivery: Delivery };
      const files = await Promise.all((delivery.files ?? []).map(download));
      chat.seen.push({
        id: delivery.id,
        text: delivery.text,
        buttons: (delivery.choices ?? []).map((label) => ({ label })),
        files,
      });
      for (const look of chat.looks) look();
    });
  }

  async function download(file: { name: string; media_type: string; url: string }): Promise<WorldFile> {
    const response = await fetch(new URL(file.url, base));
    return { name: file.name, mimeType: file.media_type, content: Buffer.from(await response.arrayBuffer()) };
  }

  const own = (chat: Chat): WebChat => {
    const found = [...chats.values()].find((each) => each === chat);
    if (found === undefined) throw new Error("a chat of another world");
    return found;
  };
  const person = (name: string) => ({ id: parseWorkspaceId(name), name, isBot: false });

  const world: World = {
    platform,
    adapter: () => createRecordedPlatform(platform),
    attach(url) {
      base = url;
    },
    env: {},
    person,
    bot: person,
    direct: chatOf,
    async say(chat, by, { text, files = [] }) {
      const here = own(chat);
      await (here.following ??= follow(here));
      const id = `${platform}-${++sent}`;
      await call("POST", "/v1/messages", {
        user_id: by,
        conversation_id: here.conversation(id),
        message_id: id,
        text,
        attachments: files.map(({ name, mimeType, content }) => ({
          name,
          media_type: mimeType,
          content_base64: content.toString("base64"),
        })),
      });
      return id;
    },
    async edit(_chat, id, text) {
      await call("PATCH", `/v1/messages/${id}`, { text });
    },
    async delete(_chat, id) {
      await call("DELETE", `/v1/messages/${id}`);
    },
    command: (chat, by, command) => world.say(chat, by, { text: command }),
    // A press of a choice says it; the page puts its own words beside it.
    async press(chat, by, _message, label) {
      await world.say(chat, by, { text: label });
      return `You chose: ${label}`;
    },
    shown: (chat) => own(chat).seen,
    until(chat, condition) {
      const { seen, looks } = own(chat);
      return new Promise((resolve) => {
        const look = () => {
          if (!condition(seen)) return;
          looks.delete(look);
          resolve(seen);
        };
        looks.add(look);
        look();
      });
    },
    redeliver: () => Promise.resolve(),
    unacknowledged: () => 0,
    close() {
      closing.abort();
      return Promise.resolve();
    },
  };
  return world;
}
