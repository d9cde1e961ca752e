/** Ends a command: `message` is shown to the operator as it is and must hold no secret, `exitCode` is the program's. */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
  /** 1: it did not work; 2: the command line or the configuration is wrong. */
  readonly exitCode: 1 | 2;

  constructor(exitCode: 1 | 2, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
