import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { InvalidInput } from "../../kernel/errors.ts";
import { Secret } from "../../kernel/secret.ts";
import type { Ticket } from "../../store/tickets.ts";
import { ApiError } from "../errors.ts";
import type { Api, ApiEnv, ApiParts } from "../parts.ts";

/** Larger than any credential, with what a form adds to it. */
const MAX_FORM_BYTES = 64 * 1024;

/**
 * Adds the page behind a one-time link. Opening it shows what it is for and uses nothing up, because programs that
 * preview links open them too; sending its form does what it says, once.
 */
export function addTicketRoutes(
  api: Api,
  parts: Pick<ApiParts, "tickets" | "credentials" | "privacy" | "clock">,
): void {
  const { tickets, credentials, privacy, clock } = parts;

  api.get("/once/:token", async (c) => {
    const ticket = await tickets.look(c.req.param("token"));
    return ticket === undefined ? page(c, 404, "Not here any more", OVER) : page(c, 200, ...formFor(ticket));
  });

  const limit = bodyLimit({
    maxSize: MAX_FORM_BYTES,
    onError: () => {
      throw new ApiError({
        status: 413,
        code: "payload_too_large",
        message: `A form has at most ${MAX_FORM_BYTES} bytes`,
      });
    },
  });
  api.post("/once/:token", limit, async (c) => {
    const token = c.req.param("token");
    const ticket = await tickets.look(token);
    if (ticket === undefined) return page(c, 404, "Not here any more", OVER);
    switch (ticket.for) {
      case "credential": {
        const { value } = await c.req.parseBody();
        try {
          if (credentials === undefined || typeof value !== "string")
            throw new InvalidInput("Nothing was entered that could be stored");
          await credentials.set(ticket.person, { name: ticket.name, value: new Secret(value), at: clock.now() });
        } catch (error) {
          if (!(error instanceof InvalidInput)) throw error;
          const [title, form] = formFor(ticket);
          return page(c, 400, title, `<p role="alert">${escape(error.message)}</p>${form}`);
        }
        await tickets.use(token);
        return page(c, 200, "Stored", `<p>${escape(ticket.name)} is stored, encrypted. You can close this page.</p>`);
      }
      case "export": {
        const document = JSON.stringify(await privacy.export(ticket.person), undefined, 2);
        await tickets.use(token);
        c.header("content-disposition", 'attachment; filename="my-data.json"');
        return c.body(document, 200, { "content-type": "application/json; charset=utf-8", ...HEADERS });
      }
    }
  });
}

const OVER = "<p>This link was used already or is older than ten minutes. Ask for a new one in the chat.</p>";

// The address is the permission: no cache keeps it, no other site is told it.
const HEADERS = { "cache-control": "no-store", "referrer-policy": "no-referrer" };

function formFor(ticket: Ticket): readonly [title: string, form: string] {
  switch (ticket.for) {
    case "credential":
      return [
        `Enter ${ticket.name}`,
        `<form method="post"><label>The value of <b>${escape(ticket.name)}</b>
<input name="value" type="password" autocomplete="off" required autofocus></label>
<button>Store it</button></form><p>It is stored encrypted and never shown again.</p>`,
      ];
    case "export":
      return [
        "Your data",
        '<form method="post"><button>Download everything kept about you</button></form><p>This works once.</p>',
      ];
  }
}

function page(c: Context<ApiEnv>, status: 200 | 400 | 404, title: string, body: string): Response {
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escape(title)}</title></head><body><main><h1>${escape(title)}</h1>${body}</main></body></html>`;
  return c.html(html, status, HEADERS);
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
