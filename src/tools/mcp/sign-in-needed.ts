/** A server wants the person to sign in first. Not a failure of the server, and nothing is tried again until they did. */
export class SignInNeeded extends Error {
  override readonly name = "SignInNeeded";
  /** Where to sign in; undefined when there is no such page. */
  readonly url: string | undefined;

  constructor(message: string, url?: string) {
    super(message);
    this.url = url;
  }
}
