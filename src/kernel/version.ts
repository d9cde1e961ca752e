/** The version of this program, as it is shown to operators and in OpenAPI. */
export const VERSION = "0.1.0";
