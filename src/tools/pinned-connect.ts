import type { LookupFunction, Socket } from "node:net";
import { buildConnector } from "undici";
import { OutsideError } from "../kernel/errors.ts";
import { refusalFor } from "./fetch-guard.ts";

/** Resolves a host name to all of its addresses. Rejects, like `dns.lookup`, with an error that has a `code`. */
export type ResolveHost = (host: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

/** How a connection fails when its address may not be reached. */
export function refused(host: string, reason: string): OutsideError {
  return new OutsideError(`Not fetched from ${host.slice(0, 100)}: ${reason}`, { code: "refused" });
}

/**
 * Connects only to public addresses, unless `unguarded`. A name is resolved once for each connection, and the address
 * connected to is one of those just checked: a name whose answer changes gains nothing.
 */
export function createPinnedConnector(resolve: ResolveHost, unguarded: boolean): buildConnector.connector {
  const connect = buildConnector({ lookup: createPinnedLookup(resolve, unguarded), timeout: 10_000, allowH2: false });
  return (options, done) =>
    connect(options, (...[error, socket]) => {
      if (error !== null) return done(error, null);
      const reason = unguarded ? undefined : refusalForSocket(socket);
      if (reason === undefined) return done(null, socket);
      socket.destroy();
      done(refused(options.hostname, reason), null);
    });
}

/** The look-up of one connection: gives every address of a name, or an error when one of them is not public. */
export function createPinnedLookup(resolve: ResolveHost, unguarded: boolean): LookupFunction {
  return (host, options, done) => {
    resolve(host).then(
      (answers) => {
        const failure = judge(host, answers, unguarded);
        const [first] = answers;
        if (failure !== undefined || first === undefined) done(failure ?? noAddress(host), []);
        else if (options.all)
          done(
            null,
            answers.map(({ address, family }) => ({ address, family })),
          );
        else done(null, first.address, first.family);
      },
      (error: unknown) => done(error instanceof Error ? error : noAddress(host), []),
    );
  };
}

// Node skips the look-up for a literal address; the socket itself is the last word.
function refusalForSocket(socket: Socket): string | undefined {
  return socket.remoteAddress === undefined ? "the connection has no address" : refusalFor(socket.remoteAddress);
}

// The address itself stays out of the message: what an internal name resolves to is nobody's business.
function judge(host: string, answers: Awaited<ReturnType<ResolveHost>>, unguarded: boolean): OutsideError | undefined {
  if (unguarded) return undefined;
  for (const { address } of answers) {
    const reason = refusalFor(address);
    if (reason !== undefined) return refused(host, `the name resolves to ${reason}`);
  }
  return undefined;
}

function noAddress(host: string): OutsideError {
  return new OutsideError(`${host.slice(0, 100)} has no address`, { code: "not-found" });
}
