/** A call that the Bot API refuses, with the words of the real one. */
export class ApiFault extends Error {
  readonly status: number;
  readonly parameters: { readonly retry_after?: number; readonly migrate_to_chat_id?: number } | undefined;

  constructor(status: number, description: string, parameters?: ApiFault["parameters"]) {
    super(description);
    this.status = status;
    this.parameters = parameters;
  }
}
