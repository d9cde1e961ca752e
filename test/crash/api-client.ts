import { z } from "zod";
import { followEvents } from "../platforms/follow-events.ts";

const receivedSchema = z.object({ id: z.string(), status: z.enum(["started", "queued", "duplicate"]) });
const statusSchema = z.object({
  id: z.string(),
  status: z.string(),
  run_id: z.string().nullable(),
  answers: z.array(z.object({ delivery_id: z.string(), text: z.string(), posted_id: z.string() })),
});
const pageSchema = z.object({
  data: z.array(z.object({ id: z.string(), role: z.enum(["user", "assistant"]), text: z.string() })),
  has_more: z.boolean(),
  next_cursor: z.string().nullable(),
});
const runSchema = z.object({ id: z.string(), status: z.string(), steps: z.array(z.object({ name: z.string() })) });

export type MessageView = z.infer<typeof statusSchema>;

/** What a user of the API does, over real HTTP. Every answer is checked against the published shape. */
export function createApiClient(url: string) {
  async function call(path: string, init: RequestInit = {}): Promise<unknown> {
    const response = await fetch(`${url}${path}`, {
      ...init,
      headers: { "content-type": "application/json", ...(init.headers as Record<string, string> | undefined) },
    });
    const body: unknown = await response.json();
    if (!response.ok)
      throw new Error(`${init.method ?? "GET"} ${path} answered ${response.status}: ${JSON.stringify(body)}`);
    return body;
  }
  return {
    async send(message: { user_id: string; conversation_id?: string; message_id: string; text: string }) {
      return receivedSchema.parse(await call("/v1/messages", { method: "POST", body: JSON.stringify(message) }));
    },
    async message(id: string): Promise<MessageView> {
      return statusSchema.parse(await call(`/v1/messages/${encodeURIComponent(id)}`));
    },
    async run(id: string) {
      return runSchema.parse(await call(`/v1/runs/${encodeURIComponent(id)}`));
    },
    /** The whole conversation, oldest first. */
    async transcript(conversation: string) {
      const all: z.infer<typeof pageSchema>["data"] = [];
      let cursor = "";
      for (;;) {
        const query = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
        const page = pageSchema.parse(
          await call(`/v1/conversations/${encodeURIComponent(conversation)}/messages?limit=100${query}`),
        );
        all.push(...page.data);
        if (page.next_cursor === null || !page.has_more) return all;
        cursor = page.next_cursor;
      }
    },
  };
}

const deliveryEventSchema = z.object({ delivery: z.object({ id: z.string(), text: z.string() }) });

export interface SeenDelivery {
  readonly id: string;
  readonly text: string;
}

/** Collects the `delivery` events of a conversation as a page would see them, until `signal` aborts. */
export async function watchDeliveries(
  url: string,
  conversation: string,
  options: { readonly signal: AbortSignal; readonly onDelivery?: () => void },
): Promise<readonly SeenDelivery[]> {
  const { signal, onDelivery } = options;
  const seen: SeenDelivery[] = [];
  const stream = `${url}/v1/conversations/${encodeURIComponent(conversation)}/events`;
  await followEvents(stream, signal, (event, data) => {
    if (event !== "delivery") return;
    seen.push(deliveryEventSchema.parse(data).delivery);
    onDelivery?.();
  });
  return seen;
}
