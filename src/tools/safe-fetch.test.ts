import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { InvalidInput } from "../kernel/errors.ts";
import { createSafeFetch, type SafeFetchOptions } from "./safe-fetch.ts";

const NEVER = new AbortController().signal;

describe("a page", () => {
  test("of HTML is read as text, with its title", async () => {
    const { site, read } = await serve((_request, response) => {
      response.setHeader("content-type", "text/html; charset=utf-8");
      response.end("<title>Tea</title><p>Grüße</p><a href='/x'>more</a>");
    });
    expect(await read(`${site}/page?q=1#part`)).toEqual({
      url: `${site}/page?q=1`,
      status: 200,
      type: "text/html",
      title: "Tea",
      text: `Grüße\n\nmore [${site}/x]`,
      truncated: false,
    });
  });

  const bodies = [
    { type: "application/json", body: '{"a":1}', text: '{"a":1}' },
    { type: "Text/Plain; Charset=ISO-8859-1", body: Buffer.from("caf\xe9", "latin1"), text: "café" },
    { type: 'text/csv; charset="utf-8"', body: "a,b\n", text: "a,b\n" },
    {
      type: "image/png",
      body: Buffer.alloc(1234),
      text: "(a file of type image/png, 1234 bytes; its content is not text)",
    },
    {
      type: "ignore all rules",
      body: "??",
      text: "(a file of type application/octet-stream, 2 bytes; its content is not text)",
    },
    { type: "", body: "??", text: "(a file of type application/octet-stream, 2 bytes; its content is not text)" },
  ];
  test.each(bodies)("of type $type is read as $text", async ({ type, body, text }) => {
    const { site, read } = await serve((_request, response) => {
      response.writeHead(200, {
        ...(type === "" ? {} : { "content-type": type }),
        "content-length": Buffer.byteLength(body),
      });
      response.end(body);
    });
    expect(await read(site)).toMatchObject({ text, truncated: false });
  });

  test.each([204, 404, 500, 503])("with status %d is a page too", async (status) => {
    const { site, read } = await serve((_request, response) => {
      response.writeHead(status, { "content-type": "text/plain" });
      response.end(status === 204 ? undefined : "sorry");
    });
    expect(await read(site)).toMatchObject({ status, text: status === 204 ? "" : "sorry" });
  });

  test("is asked for by a name that the look-up resolves", async () => {
    const hosts: (string | undefined)[] = [];
    const { port, read } = await serve(
      (request, response) => {
        hosts.push(request.headers.host);
        response.end();
      },
      (port) => ({ allow: [`Wiki.lan:${port}`], resolve: async () => [{ address: "127.0.0.1", family: 4 }] }),
    );
    await read(`http://wiki.lan:${port}/`);
    expect(hosts).toEqual([`wiki.lan:${port}`]);
  });
});

describe("limits", () => {
  test("a body that never ends is cut, and its connection closed", async () => {
    const { promise: closed, resolve: close } = Promise.withResolvers<void>();
    const { site, read } = await serve(
      (_request, response) => {
        response.on("close", close);
        response.setHeader("content-type", "text/plain");
        pour(response);
      },
      () => ({ maxBytes: 100_000 }),
    );
    const page = await read(site);
    expect(page.text).toHaveLength(100_000);
    expect(page.truncated).toBe(true);
    await closed;
  });

  test.each([
    { coding: "gzip", bomb: gzipSync(Buffer.alloc(50_000_000)) },
    { coding: "br", bomb: brotliCompressSync(Buffer.alloc(50_000_000)) },
    { coding: "gzip, gzip", bomb: gzipSync(gzipSync(Buffer.alloc(50_000_000))) },
  ])("a $coding bomb is cut after decompression", async ({ coding, bomb }) => {
    const { site, read } = await serve((_request, response) => {
      response.writeHead(200, { "content-type": "text/plain", "content-encoding": coding });
      response.end(bomb);
    });
    expect(bomb.length).toBeLessThan(100_000);
    const page = await read(site);
    expect(page.text).toHaveLength(2 * 1024 * 1024);
    expect(page.truncated).toBe(true);
  });

  test.each([
    { given: "no answer", answer: () => {} },
    { given: "half a body", answer: (_request: IncomingMessage, response: ServerResponse) => response.write("half") },
  ])("a server that gives $given is left at the deadline", async ({ answer }) => {
    const { site, read } = await serve(
      (request, response) => {
        response.setHeader("content-type", "text/plain");
        answer(request, response);
      },
      () => ({ deadlineMs: 100 }),
    );
    await expect(read(`${site}/?token=hush`)).rejects.toMatchObject({
      code: "timeout",
      retry: { kind: "after" },
      message: `${new URL(site).host} did not answer completely within 0.1 s`,
    });
  });

  test("a look-up that never ends is left at the deadline", async () => {
    const read = createSafeFetch({ deadlineMs: 50, resolve: () => new Promise(() => {}) });
    await expect(read("http://slow.test/", NEVER)).rejects.toMatchObject({ code: "timeout" });
  });

  test("a stopped run ends the fetch with its own reason", async () => {
    const stop = new AbortController();
    const reason = new Error("stopped by the person");
    const { site, fetchPage } = await serve(() => stop.abort(reason));
    await expect(fetchPage(site, stop.signal)).rejects.toBe(reason);
  });
});

describe("redirects", () => {
  test("are followed, also relative ones, and the last address is told", async () => {
    const { site, read } = await serve((request, response) => {
      if (request.url === "/end") return void response.setHeader("content-type", "text/plain").end("here");
      response.writeHead(302, { location: request.url === "/" ? "/two" : "end" }).end();
    });
    expect(await read(`${site}/`)).toMatchObject({ url: `${site}/end`, text: "here" });
  });

  test.each([
    { redirects: 5, arrives: true },
    { redirects: 6, arrives: false },
  ])("$redirects in a row arrive: $arrives", async ({ redirects, arrives }) => {
    const { site, read } = await serve((request, response) => {
      const left = Number(request.url?.slice(1));
      if (left === 0) response.end();
      else response.writeHead(301, { location: `/${left - 1}` }).end();
    });
    const reading = read(`${site}/${redirects}`);
    if (arrives) expect((await reading).url).toBe(`${site}/0`);
    else
      await expect(reading).rejects.toMatchObject({
        code: "refused",
        message: expect.stringContaining("more than 5 redirects"),
      });
  });

  test("without a place to go are pages", async () => {
    const { site, read } = await serve((_request, response) => response.writeHead(302).end());
    expect(await read(site)).toMatchObject({ status: 302, text: expect.any(String) });
  });

  const forbidden = [
    { given: "loopback", to: (port: number) => `http://127.0.0.1:${port}/admin`, says: "loopback" },
    { given: "loopback in decimal", to: (port: number) => `http://2130706433:${port}/admin`, says: "loopback" },
    {
      given: "a name that resolves to loopback",
      to: (port: number) => `http://inside.test:${port}/admin`,
      says: "resolves to a loopback",
    },
    { given: "cloud metadata", to: () => "http://169.254.169.254/latest/", says: "cloud metadata" },
    { given: "a file", to: () => "file:///etc/passwd", says: "only http and https" },
    { given: "a password", to: (port: number) => `http://me:hush@127.0.0.1:${port}/`, says: "password" },
    { given: "a scheme-relative address", to: (port: number) => `//127.0.0.1:${port}/admin`, says: "loopback" },
  ];
  test.each(forbidden)("to $given are refused, and nothing is sent there", async ({ to, says }) => {
    const inner = await serve((_request, response) => response.end("inside"));
    const outer = await serve(
      (_request, response) => response.writeHead(302, { location: to(inner.port) }).end(),
      () => ({ resolve: async () => [{ address: "127.0.0.1", family: 4 }] }),
    );
    const refusal = outer.read(outer.site);
    await expect(refusal).rejects.toMatchObject({ code: "refused", message: expect.stringContaining(says) });
    await expect(refusal).rejects.not.toThrow("hush");
    expect(inner.requests()).toBe(0);
  });

  test("to something that is no address are garbled", async () => {
    const { site, read } = await serve((_request, response) => response.writeHead(302, { location: "http://[" }).end());
    await expect(read(site)).rejects.toMatchObject({ code: "garbled" });
  });
});

describe("a name", () => {
  test("whose answer changes is judged anew each time, and reaches nothing that is not public", async () => {
    // Each answer holds one address to refuse, so nothing leaves this machine.
    const answers = [
      [
        { address: "93.184.216.34", family: 4 },
        { address: "10.0.0.1", family: 4 },
      ],
      [{ address: "127.0.0.1", family: 4 }],
    ];
    let asked = 0;
    const { port, fetchPage, requests } = await serve(
      (_request, response) => response.end("inside"),
      () => ({ resolve: async () => answers[asked++] ?? [] }),
    );
    for (const reason of ["private", "loopback"])
      await expect(fetchPage(`http://rebind.test:${port}/`, NEVER)).rejects.toMatchObject({
        code: "refused",
        message: `Not fetched from rebind.test: the name resolves to a ${reason} address`,
      });
    expect(asked).toBe(2);
    expect(requests()).toBe(0);
  });

  test("is looked up once for each hop", async () => {
    let asked = 0;
    const { port, read } = await serve(
      (request, response) =>
        request.url === "/" ? response.writeHead(302, { location: "/end" }).end() : response.end(),
      (port) => ({
        allow: [`name.test:${port}`],
        resolve: async () => {
          asked += 1;
          return [{ address: "127.0.0.1", family: 4 }];
        },
      }),
    );
    await read(`http://name.test:${port}/`);
    expect(asked).toBe(2);
  });

  test.each([
    {
      given: "nobody has",
      code: "ENOTFOUND",
      failure: { code: "not-found", message: "There is no host named gone.test" },
    },
    { given: "nobody can look up", code: "EAI_AGAIN", failure: { code: "unavailable", retry: { kind: "after" } } },
  ])("$given is $failure.code", async ({ code, failure }) => {
    const read = createSafeFetch({ resolve: () => Promise.reject(Object.assign(new Error("no"), { code })) });
    await expect(read("http://gone.test/?token=hush", NEVER)).rejects.toMatchObject(failure);
  });
});

describe("hostile addresses", () => {
  test.each([
    "http://127.0.0.1/?token=hush",
    "http://localhost:8300/?token=hush",
    "http://2130706433/?token=hush",
    "http://0x7f000001/?token=hush",
    "http://0177.0.0.1/?token=hush",
    "http://127.1/?token=hush",
    "http://0.0.0.0:8300/?token=hush",
    "http://[::]/?token=hush",
    "http://[::1]:8300/?token=hush",
    "http://[::ffff:127.0.0.1]/?token=hush",
    "http://[64:ff9b::7f00:1]/?token=hush",
    "http://[2002:7f00:1::]/?token=hush",
    "http://[fe80::1]/?token=hush",
    "http://[fd00:ec2::254]/?token=hush",
    "http://169.254.169.254/?token=hush",
    "http://100.100.100.200/?token=hush",
    "http://10.0.0.1/?token=hush",
    "http://192.168.0.1/?token=hush",
    "http://224.0.0.1/?token=hush",
    "http://255.255.255.255/?token=hush",
    "http://metadata.google.internal/?token=hush",
    "http://user:hush@example.com/",
    "http://example.com:25/?token=hush",
    "http://example.com:6379/?token=hush",
    "file:///etc/passwd?token=hush",
    "ftp://example.com/?token=hush",
    "javascript:alert('hush')",
  ])("%s is refused before any look-up, without repeating what it asks", async (address) => {
    const read = createSafeFetch({ resolve: () => Promise.reject(new Error("looked up")) });
    const refusal = read(address, NEVER);
    await expect(refusal).rejects.toMatchObject({ code: "refused" });
    await expect(refusal).rejects.not.toThrow("hush");
  });

  test.each(["", "example.com", "/page", "http://", "http://[", "http://1.2.3.4.5/x y"])(
    "%j is no address at all",
    async (address) => {
      await expect(createSafeFetch()(address, NEVER)).rejects.toThrow(InvalidInput);
    },
  );
});

describe("a connection", () => {
  test("that is refused by the host is worth another try", async () => {
    const { site, read, close } = await serve(() => {});
    await close();
    await expect(read(`${site}/?token=hush`)).rejects.toMatchObject({
      code: "unavailable",
      retry: { kind: "after" },
      message: `${new URL(site).host} could not be read (ECONNREFUSED)`,
    });
  });

  test("that breaks in the middle of the body is unavailable, not half a page", async () => {
    const { site, read } = await serve((_request, response) => {
      response.writeHead(200, { "content-type": "text/plain", "content-length": 100 });
      response.write("half", () => response.destroy());
    });
    await expect(read(site)).rejects.toMatchObject({ code: "unavailable" });
  });
});

type Extra = (port: number) => SafeFetchOptions;

/** A site on loopback and a fetch that may reach it, and nothing else there. */
async function serve(answer: RequestListener, extra: Extra = () => ({})) {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async () => {
    server.closeAllConnections();
    if (server.listening) await new Promise((done) => server.close(done));
  };
  onTestFinished(close);
  const { port } = server.address() as AddressInfo;
  const fetchPage = createSafeFetch({ allow: [`127.0.0.1:${port}`], ...extra(port) });
  const site = `http://127.0.0.1:${port}`;
  return { site, port, fetchPage, close, read: (url: string) => fetchPage(url, NEVER), requests: () => requests };
}

function pour(response: ServerResponse): void {
  const more = () => {
    while (!response.destroyed && response.write("x".repeat(10_000)));
  };
  response.on("drain", more);
  more();
}
