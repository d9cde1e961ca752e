// An example, and off: copy it to system.ts and name that in `bot.prompt_function`. See docs/context.md.

/** What the function is told. */
interface Context {
  readonly user: { readonly id: string };
  readonly conversation: { readonly id: string; readonly shared: boolean };
  readonly platform: string;
  /** ISO 8601, in UTC. */
  readonly now: string;
}

/** The system prompt for one person. */
export default function prompt({ user, conversation, platform, now }: Context): string {
  const hour = Number(now.slice(11, 13));
  return [
    "You are an assistant in a chat. Begin with the answer, and be brief.",
    conversation.shared ? "Several people read along." : `You talk to ${user.id}.`,
    platform === "terminal" ? "They work in a terminal: commands are welcome." : "",
    hour < 6 ? "It is late: keep it short." : "",
  ]
    .filter((line) => line !== "")
    .join("\n");
}
