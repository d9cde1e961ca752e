import { z } from "zod";
import { Secret } from "../../kernel/secret.ts";
import { parseJsonPath } from "./json-path.ts";
import { section } from "./section.ts";
import { valueName, valueSchema } from "./value-schema.ts";

const secret = z
  .union(
    [
      z
        .string()
        .min(1)
        .transform((value) => new Secret(value)),
      section({
        credential: z
          .string()
          .regex(/^[A-Za-z0-9_.-]{1,64}$/)
          .describe("The name of a credential each person stores for themselves."),
      }),
    ],
    { error: "expected text, best ${NAME} from the environment, or {credential: name}" },
  )
  .meta({ writeOnly: true });

const auth = z.discriminatedUnion(
  "type",
  [
    section({ type: z.literal("none") }),
    section({
      type: z.literal("api_key"),
      in: z.enum(["header", "query"]).default("header").describe("Where the key is sent."),
      name: z.string().regex(/^[\w.-]{1,100}$/, "expected the name of a header or query parameter"),
      key: secret,
    }),
    section({ type: z.literal("bearer"), token: secret }),
    section({ type: z.literal("basic"), username: text(200), password: secret }),
    section({
      type: z.literal("oauth2"),
      token_url: webUrl().describe("Where access tokens are given for the client's own credentials."),
      client_id: text(1_000),
      client_secret: secret,
      scopes: z.array(z.string().regex(/^[\x21\x23-\x5B\x5D-\x7E]+$/, "expected a scope without blanks")).default([]),
      audience: text(1_000).exactOptional(),
      send_client_in: z
        .enum(["header", "body"])
        .default("header")
        .describe("Whether the client's credentials are sent as basic authorization or in the form."),
    }),
  ],
  {
    error: ({ code }) =>
      code === "invalid_union" ? "expected one of none, api_key, bearer, basic, oauth2" : undefined,
  },
);

const jsonPath = z.string().transform((path, context) => {
  const parsed = parseJsonPath(path);
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: "custom", message: "expected a path such as $.items[0].name or items[*].id" });
  return z.NEVER;
});

const result = section({
  as: z
    .enum(["json", "text"])
    .exactOptional()
    .describe("How the answer is read; by its content type unless told otherwise."),
  each: jsonPath.describe("A list in the answer; `pick` is then done for each of its elements.").exactOptional(),
  pick: z
    .union(
      [jsonPath.transform((path) => ({ path })), z.record(z.string(), jsonPath).transform((paths) => ({ paths }))],
      {
        error: "expected a path such as $.items[0].name, or names with a path each",
      },
    )
    .describe("The part of the answer the model gets: a path, or names with a path each.")
    .exactOptional(),
  max_chars: z.int().min(100).max(16_000).default(16_000).describe("Longer results are cut, with a note."),
});

const parameter = valueSchema.extend({
  in: z
    .enum(["path", "query", "header", "body"])
    .exactOptional()
    .describe(
      "Where it is sent: in the path when that names it, else in the query for GET and DELETE, else in the body.",
    ),
  send_as: z
    .string()
    .regex(/^\S{1,100}$/, "expected a name without blanks")
    .exactOptional()
    .describe("What the service calls it, when that differs."),
});

const scalar = z.union([z.string(), z.number(), z.boolean()], { error: "expected text, a number, true or false" });

const capability = section({
  name: z.string().regex(/^[A-Za-z0-9_-]{1,60}$/, 'expected letters, digits, "_" or "-"'),
  description: text(2_000).describe("What the model reads to decide when to call it."),
  method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]).default("GET"),
  path: z
    .string()
    .regex(/^\/[^\s?#\\]*$/, "expected a path that begins with a slash, without ? and #")
    .describe("Below `base_url`; `{name}` stands for the parameter of that name."),
  parameters: z.record(valueName(), parameter).default({}).describe("What the model fills in."),
  fixed: section({
    query: z.record(z.string(), scalar).default({}),
    body: z.record(z.string(), z.json()).default({}),
  })
    .prefault({})
    .describe("What is always sent and the model does not see."),
  body: z.enum(["json", "form"]).default("json").describe("How the body is written."),
  effect: z
    .enum(["read", "idempotent", "once"])
    .exactOptional()
    .describe("What repeating a call does; `read` for GET and `once` for everything else unless told otherwise."),
  approval: z.enum(["never", "ask"]).default("never").describe("Whether the person approves each call first."),
  trusted: z
    .boolean()
    .exactOptional()
    .describe("`true` when its results hold no text of strangers; otherwise they count as text from outside."),
  sends: z.boolean().exactOptional().describe("`false` when a `once` call carries nothing out and to nobody else."),
  timeout_s: seconds().exactOptional(),
  result: result.exactOptional(),
});

/** One file of `config/tools/*.yaml`: a service and what can be done with it. Unknown keys are refused. */
export const httpToolSchema = section({
  name: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_-]{0,39}$/, 'expected at most 40 letters, digits, "_" or "-"')
    .describe("The tools are called `name.capability`."),
  description: text(1_000).describe("What the service is; stands behind the description of each of its tools."),
  version: z.string({ error: 'expected text; put quotes around it, as in "1.10"' }).exactOptional(),
  base_url: webUrl().describe("What all paths are below."),
  allow_private_address: z
    .boolean()
    .default(false)
    .describe("Allows `base_url` and `token_url` to lead to this machine or a private network, and to any port."),
  auth: auth.default({ type: "none" }),
  headers: z
    .record(
      z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "expected the name of a header"),
      z.union([z.string().regex(/^[\t\x20-\x7E\x80-\xFF]*$/), section({ credential: z.string().min(1) })], {
        error: "expected text on one line, or {credential: name}",
      }),
    )
    .default({})
    .describe("Sent with every call."),
  idempotency_header: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,100}$/, "expected the name of a header")
    .default("Idempotency-Key")
    .describe("Carries the key by which the service recognises a repeated call of an `idempotent` capability."),
  timeout_s: seconds().default(30),
  capabilities: z.array(capability).min(1, "expected at least one capability").max(100),
}).describe("A service whose HTTP calls become tools.");

/** A checked file, defaults filled in. */
export type HttpTool = z.output<typeof httpToolSchema>;
export type Capability = HttpTool["capabilities"][number];
export type Parameter = Capability["parameters"][string];
export type Auth = HttpTool["auth"];
/** A secret from the file, or the name of the person's own credential. */
export type SecretSource = z.output<typeof secret>;
export type ResultRule = z.output<typeof result>;

function text(max: number) {
  return z.string().trim().min(1, "must not be empty").max(max, `has more than ${max} characters`);
}

function seconds() {
  return z.number().positive().max(600, "at most 600").describe("Seconds one call may take.");
}

function webUrl() {
  return z
    .url({ protocol: /^https?$/, error: "expected a URL that starts with http:// or https://" })
    .refine((url) => !/[?#]/.test(url), "must not contain a query or fragment")
    .refine((url) => !/^[^/]*\/\/[^/]*@/.test(url), "must not contain a user name or password");
}
