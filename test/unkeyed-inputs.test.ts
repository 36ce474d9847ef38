// What of a client's request reaches an upstream, and what kept answers are found again by: the same. Over real sockets.
import assert from "node:assert/strict";
import { test } from "node:test";
import { everyone } from "curtainwall";
import fc from "fast-check";
import { z } from "zod";
import { host, openRaw } from "../src/edge/node/test-edge.ts";
import { startGuardedApi } from "./support/guarded-api.ts";

const base = {
  access: everyone,
  limit: "100000/s per client",
  to: "shop",
  params: { id: z.string().max(20) },
  query: {
    q: z.string().max(20).optional(),
    n: z.coerce.number().optional(),
    tags: z.array(z.string()).optional(),
  },
  headers: { "x-version": z.enum(["1", "2"]).optional() },
  cookies: { tint: z.string().max(9).optional() },
  response: z.object({ seen: z.string() }),
};
const routes = {
  "GET /api/kept/:id": { ...base, cache: { seconds: 3600 } },
  "GET /api/asked/:id": base,
};

/** Names by which servers, proxies and frameworks are told what a client may not say, in spellings that some of them take for the same. */
const identityNames = [
  "X-Forwarded-For",
  "x_forwarded_for",
  "X-Forwarded-Host",
  "X_Forwarded_Host",
  "X-Forwarded-Proto",
  "X-Forwarded-Port",
  "X-Forwarded-Prefix",
  "X-Forwarded-Scheme",
  "X-Forwarded-User",
  "X-Forwarded-Email",
  "X-Forwarded-Access-Token",
  "X-Forwarded-Client-Cert",
  "X-Forwarded-Server",
  "Forwarded",
  "X-Real-IP",
  "X_REAL_IP",
  "X-Client-IP",
  "X-Cluster-Client-IP",
  "True-Client-IP",
  "CF-Connecting-IP",
  "Fastly-Client-IP",
  "X-Original-URL",
  "X-Rewrite-URL",
  "X-Original-Host",
  "X-Host",
  "X-HTTP-Method-Override",
  "X-HTTP-Method",
  "X-Method-Override",
  "X-Remote-User",
  "Remote-User",
  "REMOTE_USER",
  "X-User",
  "X-User-Id",
  "X_User_Id",
  "X-Auth-Request-Email",
  "X-Authenticated-User",
  "X-WEBAUTH-USER",
  "X-Middleware-Subrequest",
  "X-Amzn-Oidc-Identity",
  "X-SSL-Client-S-DN",
  "SSL_CLIENT_VERIFY",
  "Curtainwall-Assertion",
  "curtainwall_assertion",
  "Request-Id",
  "X-Request-Id",
  "traceparent",
  "tracestate",
  "baggage",
  "Proxy",
  "Via",
  "Accept-Language",
  "Accept-Encoding",
  "User-Agent",
  "Referer",
  "Range",
  "If-None-Match",
  "If-Modified-Since",
  "Cache-Control",
  "Pragma",
];

const seenHeaders = ["accept", "host", "connection", "request-id", "curtainwall-assertion"];

test("none of a client's headers reaches the upstream but those that the route takes, so that a kept answer is what the upstream would answer", async (t) => {
  const api = await startGuardedApi(t, routes);
  // Says all that it sees: what a client can put in there must be its own alone.
  api.upstream.answer = ({ target, headers }, response) => {
    const seen = headers.flatMap((name, index) =>
      index % 2 === 1 || /^(?:request-id|curtainwall-assertion)$/i.test(name)
        ? []
        : [`${name}: ${headers[index + 1]}`],
    );
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({ seen: [target.replace(/^\/api\/\w+/, ""), ...seen.toSorted()].join("\n") }),
    );
  };
  const socket = await openRaw(api.port);
  let received = "";
  let wake = (): void => undefined;
  socket.on("data", (chunk: Buffer) => {
    received += chunk.toString("latin1");
    wake();
  });
  const ask = async (root: string, path: string, lines: readonly string[]): Promise<string> => {
    received = "";
    socket.write(
      `GET /api/${root}/${path} HTTP/1.1\r\nhost: ${host}\r\n${lines.join("\r\n")}${lines.length > 0 ? "\r\n" : ""}\r\n`,
    );
    for (;;) {
      const end = received.indexOf("\r\n\r\n");
      const length = Number(/content-length: (\d+)/i.exec(received)?.[1] ?? 0);
      if (end >= 0 && received.length >= end + 4 + length)
        return `${received.slice(9, 12)} ${bodyOf(received, end)}`;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  const header = fc.tuple(
    fc.constantFrom(...identityNames),
    fc.constantFrom("127.0.0.1", "admin", "evil.example", "1", "https", "DELETE", "no-cache", "bytes=0-1"),
  );
  const line = fc.oneof(
    { weight: 5, arbitrary: header.map(([name, value]) => `${name}: ${value}`) },
    fc.constantFrom(
      "x-version: 1",
      "x-version: 2",
      "X-Version: 3",
      "cookie: tint=red",
      "cookie: a=b; tint=blue",
      "cookie: sid=1",
    ),
  );
  const query = fc.constantFrom(
    "",
    "?q=1",
    "?q=%31",
    "?n=01",
    "?n=1",
    "?tags=a&tags=b",
    "?tags=a%26tags=b",
    "?q=1&n=1",
    "?n=1&q=1",
    "?q=1%0a",
    "?q=1%3fn=1",
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("1", "2", "%31", "1%20"),
      query,
      fc.array(line, { maxLength: 8 }),
      async (id, search, lines) => {
        const once = lines.filter(
          (one, index) => lines.findIndex((other) => nameOf(other) === nameOf(one)) === index,
        );
        const kept = await ask("kept", id + search, once);
        assert.equal(kept, await ask("asked", id + search, once));
      },
    ),
    { numRuns: 400 },
  );
  assert.ok(api.upstream.seen.length < 700, `${api.upstream.seen.length} of 800 were asked for`);
  for (const { headers } of api.upstream.seen)
    for (const [index, name] of headers.entries())
      if (index % 2 === 0)
        assert.ok([...seenHeaders, "x-version", "cookie"].includes(name.toLowerCase()), name);
});

const nameOf = (line: string): string => line.slice(0, line.indexOf(":")).toLowerCase();

/** A problem's id is its own. */
const bodyOf = (answer: string, end: number): string => answer.slice(end + 4).replace(/"id":"[^"]*"/, "");
