import { partId } from "../kernel/ids.ts";
import type { OutboundMessage } from "../kernel/messages.ts";
import type { Button, Part, PlatformAdapter } from "../platforms/contract.ts";

/**
 * What is posted of a message, in order: its words, cut to what the platform takes, then its files. Pure: every try of
 * the same message gives the same parts with the same ids. At least one part.
 */
export function partsOf(
  message: OutboundMessage,
  { abilities, render }: Pick<PlatformAdapter, "abilities" | "render">,
  buttons: readonly Button[],
): readonly Part[] {
  const { conversationId, kind, answers, files = [] } = message;
  const sent = abilities.files ? files : [];
  const texts = message.text.trim() === "" && sent.length > 0 ? [] : render(message);
  const common = { conversationId, kind, answers };
  const words = texts.map((text, index) => ({
    ...common,
    id: partId(message.id, index),
    text,
    buttons: abilities.buttons && index === texts.length - 1 ? buttons : [],
  }));
  const attached = sent.map((file, index) => ({
    ...common,
    id: partId(message.id, texts.length + index),
    text: "",
    buttons: [],
    file,
  }));
  return [...words, ...attached];
}
