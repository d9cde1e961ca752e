import { createServer, type AddressInfo, type Socket } from "node:net";
import type { LookupAddress } from "node:dns";
import { expect, onTestFinished, test } from "vitest";
import { createPinnedConnector, createPinnedLookup, type ResolveHost } from "./pinned-connect.ts";

const PUBLIC = { address: "93.184.216.34", family: 4 };
const LOOPBACK = { address: "127.0.0.1", family: 4 };

test("a connection gets exactly the addresses that were checked, from one look-up", async () => {
  const resolve = answering([PUBLIC], [LOOPBACK]);
  expect(await lookUp(resolve)).toEqual([PUBLIC]);
  expect(resolve.asked).toEqual(["rebind.test"]);
});

test("a name whose answer changes is refused at its next connection", async () => {
  const resolve = answering([PUBLIC], [LOOPBACK]);
  const look = createPinnedLookup(resolve, false);
  await lookUpWith(look);
  await expect(lookUpWith(look)).rejects.toMatchObject({
    code: "refused",
    message: "Not fetched from rebind.test: the name resolves to a loopback address",
  });
});

test("one address that is not public spoils all the others", async () => {
  const answers = [PUBLIC, { address: "2606:4700:4700::1111", family: 6 }, { address: "::ffff:10.0.0.1", family: 6 }];
  await expect(lookUp(answering(answers))).rejects.toMatchObject({ code: "refused" });
});

test("a refusal does not tell which address an internal name has", async () => {
  await expect(lookUp(answering([{ address: "10.11.12.13", family: 4 }]))).rejects.not.toThrow("10.11");
});

test("a caller that wants one address gets the first", async () => {
  const look = createPinnedLookup(answering([PUBLIC, { address: "1.1.1.1", family: 4 }]), false);
  const answer = await new Promise((resolve) => look("x.test", {}, (...args) => resolve(args)));
  expect(answer).toEqual([null, PUBLIC.address, 4]);
});

test("no answer and a failed look-up are errors", async () => {
  await expect(lookUp(answering([]))).rejects.toMatchObject({ code: "not-found" });
  const broken = new Error("queryA ESERVFAIL");
  await expect(lookUp(() => Promise.reject(broken))).rejects.toBe(broken);
});

test("without a guard any address is given", async () => {
  expect(await lookUpWith(createPinnedLookup(answering([LOOPBACK]), true))).toEqual([LOOPBACK]);
});

test("the connected socket is checked too, for Node looks up no literal address", async () => {
  const port = await listen();
  await expect(connect(port, false)).rejects.toMatchObject({
    code: "refused",
    message: expect.stringContaining("loopback"),
  });
  const socket = await connect(port, true);
  expect(socket.remoteAddress).toBe("127.0.0.1");
  socket.destroy();
});

test.each(["http:", "https:"])("a name is checked before %s connects", async (protocol) => {
  const connector = createPinnedConnector(answering([LOOPBACK]), false);
  const outcome = new Promise((resolve, reject) => {
    connector({ hostname: "rebind.test", host: "rebind.test", protocol, port: "443" }, (error, socket) =>
      error === null ? resolve(socket) : reject(error),
    );
  });
  await expect(outcome).rejects.toMatchObject({ code: "refused" });
});

function answering(...answers: LookupAddress[][]): ResolveHost & { asked: string[] } {
  const asked: string[] = [];
  const resolve = async (host: string) => {
    asked.push(host);
    return answers[Math.min(asked.length, answers.length) - 1] ?? [];
  };
  return Object.assign(resolve, { asked });
}

function lookUp(resolve: ResolveHost) {
  return lookUpWith(createPinnedLookup(resolve, false));
}

function lookUpWith(look: ReturnType<typeof createPinnedLookup>) {
  return new Promise((resolve, reject) => {
    look("rebind.test", { all: true }, (error, addresses) => (error === null ? resolve(addresses) : reject(error)));
  });
}

async function listen(): Promise<number> {
  const server = createServer((socket) => socket.on("error", () => {}));
  onTestFinished(() => new Promise<void>((done) => server.close(() => done())));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return (server.address() as AddressInfo).port;
}

function connect(port: number, unguarded: boolean): Promise<Socket> {
  const connector = createPinnedConnector(answering([LOOPBACK]), unguarded);
  return new Promise((resolve, reject) => {
    connector({ hostname: "127.0.0.1", protocol: "http:", port: String(port) }, (error, socket) =>
      error === null ? resolve(socket) : reject(error),
    );
  });
}
