/** A refusal as Discord writes it: `{message, code, errors}`. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: number;
  readonly errors: object | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: number,
    message: string,
    more: { readonly errors?: object; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.errors = more.errors;
    this.headers = more.headers ?? {};
  }
}

/** A body that Discord does not take, with the field and the reason. */
export function invalidForm(field: string, code: string, message: string): ApiError {
  return new ApiError(400, 50035, "Invalid Form Body", { errors: { [field]: { _errors: [{ code, message }] } } });
}

export const unknownChannel = () => new ApiError(404, 10003, "Unknown Channel");
export const unknownMessage = () => new ApiError(404, 10008, "Unknown Message");
export const unknownInteraction = () => new ApiError(404, 10062, "Unknown interaction");
export const unknownWebhook = () => new ApiError(404, 10015, "Unknown Webhook");
export const missingAccess = () => new ApiError(403, 50001, "Missing Access");
export const missingPermissions = () => new ApiError(403, 50013, "Missing Permissions");
export const unauthorized = () => new ApiError(401, 0, "401: Unauthorized");
