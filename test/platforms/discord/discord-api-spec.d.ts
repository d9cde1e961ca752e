/** The package's schemas come without types: https://www.npmjs.com/package/discord-api-spec */
declare module "discord-api-spec/zod" {
  interface RequestSchema {
    readonly shape: Readonly<Record<string, unknown>>;
    safeParse(
      value: unknown,
    ): { readonly success: true } | { readonly success: false; readonly error: { readonly issues: readonly object[] } };
  }
  export const MessageCreateRequestSchema: RequestSchema;
  export const MessageEditRequestPartialSchema: RequestSchema;
  export const IncomingWebhookInteractionRequestSchema: RequestSchema;
  export const IncomingWebhookUpdateRequestPartialSchema: RequestSchema;
  export const CreateTextThreadWithMessageRequestSchema: RequestSchema;
  export const CreateMessageInteractionCallbackRequestSchema: RequestSchema;
  export const ApplicationCommandUpdateRequestSchema: RequestSchema;
}
