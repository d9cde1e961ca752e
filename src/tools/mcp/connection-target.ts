import type { OAuthClientProvider } from "@modelcontextprotocol/client";
import type { ResolveHost } from "../pinned-connect.ts";
import type { StdioProgram } from "./stdio-child.ts";

/** Everything that is needed to connect to a server once. */
export type ConnectionTarget =
  | { readonly kind: "stdio"; readonly program: StdioProgram }
  | {
      readonly kind: "http";
      readonly url: URL;
      readonly headers: Readonly<Record<string, string>>;
      readonly auth: HttpSignIn;
      readonly allowed: ReadonlySet<string>;
      readonly resolve: ResolveHost;
    };

/** How requests over HTTP are signed in. */
export type HttpSignIn =
  | { readonly kind: "none" }
  | { readonly kind: "bearer"; readonly token: string }
  | {
      readonly kind: "client_credentials";
      readonly clientId: string;
      readonly clientSecret: string;
      readonly issuer: string;
      readonly scope?: string | undefined;
    }
  /** A person's own sign-in. */
  | { readonly kind: "oauth"; readonly provider: OAuthClientProvider };
