import type { TelegramMessage, TelegramUser } from "./update-schema.ts";

/** A person's name as others see it. */
export function nameOfUser({ first_name, last_name, username, id }: TelegramUser): string {
  const name = [first_name, last_name ?? ""].filter((word) => word !== "").join(" ");
  return name === "" ? (username ?? String(id)) : name;
}

/** A line that says who wrote a forwarded message first. */
export function forwardLine({ forward_origin: origin }: TelegramMessage): string | undefined {
  if (origin === undefined) return undefined;
  const name =
    origin.sender_user === undefined
      ? (origin.sender_user_name ?? origin.sender_chat?.title ?? origin.chat?.title)
      : nameOfUser(origin.sender_user);
  return name === undefined ? "[forwarded]" : `[forwarded from ${name}]`;
}

/** A line that stands for what is neither text nor a file: a place, a contact, a poll. Undefined when there is none. */
export function contentLine(message: TelegramMessage): string | undefined {
  const { sticker, venue, location, contact, poll, dice } = message;
  if (sticker !== undefined) return sticker.emoji === undefined ? "[sticker]" : `[sticker ${sticker.emoji}]`;
  if (venue !== undefined) return `[place: ${venue.title}, ${venue.address} (${coordinates(venue.location)})]`;
  if (location !== undefined) return `[location ${coordinates(location)}]`;
  if (contact !== undefined) {
    const name = [contact.first_name, contact.last_name ?? ""].join(" ").trim();
    return `[contact: ${name}, ${contact.phone_number}]`;
  }
  if (poll !== undefined) return `[poll: ${poll.question} — ${poll.options.map((option) => option.text).join(" / ")}]`;
  if (dice !== undefined) return `[${dice.emoji} ${dice.value}]`;
  const unreadable = UNREADABLE.find((kind) => message[kind] !== undefined);
  return unreadable === undefined ? undefined : `[${unreadable.replaceAll("_", " ")}, which cannot be read here]`;
}

const UNREADABLE = ["story", "game", "invoice", "giveaway", "paid_media", "checklist"] as const;

const coordinates = ({ latitude, longitude }: { readonly latitude: number; readonly longitude: number }): string =>
  `${latitude}, ${longitude}`;
