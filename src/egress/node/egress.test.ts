import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { z } from "zod";
import { basic, bearer, fn, inHeader, inQuery, secret } from "../../contract/index.ts";
import type { UseText } from "../../contract/index.ts";
import { makeVault, openEgress } from "../fixtures/open-egress.ts";
import { startService } from "../fixtures/service.ts";

const key = "key-of-nobody-0123456789";
const functions = { quotes: {}, other: {} };
const use = (text: string): UseText => text as UseText;
const keyFor = (request: string, inject = bearer()) => ({
  KEY: secret({ use: use(request), by: fn("quotes"), inject }),
});

suite("egress", () => {
  test("sends what is permitted, with the value that the caller never sees", async (t) => {
    const service = await startService(t, (_, response) => {
      response.setHeader("set-cookie", "session=1");
      response.setHeader("x-kind", "quotes");
      response.end("[1,2]");
    });
    const { call, events } = await openEgress(
      t,
      { functions, secrets: keyFor(`GET ${service.origin}/v1/quotes`) },
      { vault: makeVault({ KEY: key }) },
    );
    const came = await call(`${service.origin}/v1/quotes?city=Bergen`, {
      headers: { authorization: "Bearer mine", cookie: "a=b", "x-trace": "1", "x-forwarded-for": "1.2.3.4" },
    });
    assert.equal(came.status, 200);
    assert.equal(came.body, "[1,2]");
    assert.equal(came.headers["x-kind"], "quotes");
    assert.equal(came.headers["set-cookie"], undefined);
    const [asked] = service.asked;
    assert.equal(asked?.line, "GET /v1/quotes?city=Bergen");
    assert.deepEqual(asked?.headers, {
      host: service.origin.slice(8),
      connection: "keep-alive",
      "x-trace": "1",
      "accept-encoding": "identity",
      authorization: `Bearer ${key}`,
    });
    const [used] = events;
    assert.equal(used?.type, "egress.used");
    assert.deepEqual(
      { ...used, time: 0, tookMs: 0 },
      {
        type: "egress.used",
        time: 0,
        tookMs: 0,
        caller: "fn:quotes",
        secret: "KEY",
        version: 1,
        method: "GET",
        origin: service.origin,
        path: "/v1/quotes",
        status: "2xx",
        count: 1,
      },
    );
  });

  test("the log has which status it was that a service minds a secret with, of all else the class", async (t) => {
    const statuses: Record<string, number> = { "/v1/a": 401, "/v1/b": 403, "/v1/c": 404, "/open": 401 };
    const service = await startService(t, ({ line }, response) => {
      response.statusCode = statuses[line.slice("GET ".length)] ?? 200;
      response.end();
    });
    const { call, events } = await openEgress(
      t,
      {
        functions: { ...functions, quotes: { reaches: use(`GET ${service.origin}/open`) } },
        secrets: keyFor(`GET ${service.origin}/v1/*`),
      },
      { vault: makeVault({ KEY: key }) },
    );
    for (const path of Object.keys(statuses)) await call(service.origin + path);
    assert.deepEqual(
      events.map((event) => event.type === "egress.used" && event.status),
      ["401", "403", "4xx", "4xx"],
    );
  });

  test("refuses another caller, method, path or origin, and no value is asked for", async (t) => {
    const service = await startService(t);
    const { call, vault, events } = await openEgress(
      t,
      { functions, secrets: keyFor(`GET ${service.origin}/v1/*`) },
      { vault: makeVault({ KEY: key }) },
    );
    const codes = await Promise.all([
      call(`${service.origin}/v1/quotes`, { fn: "other" }),
      call(`${service.origin}/v1/quotes`, { fn: "nobody" }),
      call(`${service.origin}/v1/quotes`, { method: "POST", body: "{}" }),
      call(`${service.origin}/v1/quotes`, { method: "HEAD" }),
      call(`${service.origin}/v1/quotes/1`),
      call(`${service.origin}/v2/quotes`),
      call("https://elsewhere.example/v1/quotes"),
      call(`http://${service.origin.slice(8)}/v1/quotes`),
    ]);
    assert.deepEqual(
      codes.map(({ status, code }) => `${status} ${code}`),
      [
        "403 EGRESS_CALLER_UNKNOWN",
        "403 EGRESS_CALLER_UNKNOWN",
        "403 EGRESS_USE_UNDECLARED",
        "403 EGRESS_USE_UNDECLARED",
        "403 EGRESS_USE_UNDECLARED",
        "403 EGRESS_USE_UNDECLARED",
        "403 EGRESS_USE_UNDECLARED",
        "403 EGRESS_TARGET_REFUSED",
      ],
    );
    assert.deepEqual(service.asked, []);
    assert.deepEqual(vault.asked, []);
    assert.equal(events.filter(({ type }) => type === "egress.refused").length, 8);
  });

  test("a function reaches what it may without a secret, and gets none with it", async (t) => {
    const service = await startService(t);
    const { call, events } = await openEgress(t, {
      functions: { quotes: { reaches: use(`GET ${service.origin}/public/**`) } },
    });
    assert.equal(
      (await call(`${service.origin}/public/a/b`, { headers: { authorization: "x" } })).status,
      200,
    );
    assert.equal(service.asked[0]?.headers.authorization, undefined);
    assert.equal((events[0] as { secret?: string }).secret, undefined);
  });

  test("a query and a body go out as they were checked, and not otherwise", async (t) => {
    const service = await startService(t);
    const { call } = await openEgress(
      t,
      {
        functions,
        secrets: {
          KEY: secret({
            use: {
              request: use(`POST ${service.origin}/mail`),
              query: { dry: z.enum(["yes", "no"]) },
              body: z.object({ to: z.email(), text: z.string().max(20) }),
            },
            by: fn("quotes"),
            inject: inHeader("X-Api-Key"),
          }),
        },
      },
      { vault: makeVault({ KEY: key }) },
    );
    const send = async (query: string, body: string, type = "application/json"): Promise<string> => {
      const coding = { "content-encoding": "deflate", content_encoding: "br" };
      const headers = { "content-type": type, "X-API-Key": "mine", x_api_key: "mine too", ...coding };
      const { status, code } = await call(`${service.origin}/mail${query}`, {
        method: "POST",
        headers,
        body,
      });
      return code ?? String(status);
    };
    const good = ' {"to":"a@b.example", "text":"hi"} ';
    assert.equal(await send("?dry=yes", good), "200");
    assert.equal(service.asked[0]?.line, "POST /mail?dry=yes");
    assert.equal(service.asked[0]?.body, '{"to":"a@b.example","text":"hi"}');
    assert.equal(service.asked[0]?.headers["x-api-key"], key);
    assert.equal(service.asked[0]?.headers["x_api_key"], undefined);
    assert.equal(service.asked[0]?.headers["content-encoding"], undefined);
    assert.equal(service.asked[0]?.headers["content_encoding"], undefined);
    assert.equal(service.asked[0]?.headers["content-type"], "application/json");
    for (const query of ["", "?dry=maybe", "?dry=yes&dry=no", "?dry=yes&x=1", "?dry=%zz"])
      assert.match(await send(query, good), /^EGRESS_(QUERY|TARGET)_REFUSED$/, query);
    for (const [body, type] of [
      ["{}"],
      ['{"to":"a@b.example","text":"hi","bcc":"me@evil.example"}'],
      ['{"to":"a@b.example","to":"me@evil.example","text":"hi"}'],
      ['{"to":"a@b.example","text":"hi","__proto__":{}}'],
      [good, "text/plain"],
      [good, "application/json; charset=utf-7"],
      ["to=a@b.example", "application/x-www-form-urlencoded"],
      ["\ufeff" + good.trim()],
      [""],
    ] as const)
      assert.equal(await send("?dry=yes", body, type), "EGRESS_BODY_REFUSED", body);
    assert.equal(service.asked.length, 1);
  });

  test("what a schema made of a query and a body goes out, in the one way in which everybody reads it", async (t) => {
    const service = await startService(t);
    const grams = z.coerce.number().int().max(20_000);
    const { call } = await openEgress(
      t,
      {
        functions,
        secrets: {
          KEY: secret({
            use: {
              request: use(`POST ${service.origin}/quotes`),
              query: { grams, tag: z.array(z.string()).optional() },
              body: z.object({ grams }),
            },
            by: fn("quotes"),
            inject: inHeader("X-Api-Key"),
          }),
        },
      },
      { vault: makeVault({ KEY: key }) },
    );
    // Two million to whoever reads digits only.
    const { status } = await call(`${service.origin}/quotes?grams=2000000e-2&tag=a%20b&tag=c`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"grams":"2000000e-2"}',
    });
    assert.equal(status, 200);
    assert.equal(service.asked[0]?.line, "POST /quotes?grams=20000&tag=a%20b&tag=c");
    assert.equal(service.asked[0]?.body, '{"grams":20000}');
  });

  test("a key in a query replaces every one of the caller's own", async (t) => {
    const service = await startService(t);
    const { call } = await openEgress(
      t,
      {
        functions,
        secrets: {
          KEY: secret({ use: use(`GET ${service.origin}/m`), by: fn("quotes"), inject: inQuery("key") }),
        },
      },
      { vault: makeVault({ KEY: "a b&c=d0123" }) },
    );
    await call(`${service.origin}/m?key=mine&q=1&%6bey=mine&key&+key=mine&key%00=mine`);
    assert.equal(service.asked[0]?.line, "GET /m?q=1&key=a%20b%26c%3Dd0123");
  });

  test("redirects come back as they are", async (t) => {
    const service = await startService(t, (_, response) =>
      response.writeHead(302, { location: "https://evil.example/" }).end(),
    );
    const { call } = await openEgress(
      t,
      { functions, secrets: keyFor(`GET ${service.origin}/v1`) },
      { vault: makeVault({ KEY: key }) },
    );
    const { status, headers } = await call(`${service.origin}/v1`);
    assert.equal(status, 302);
    assert.equal(headers.location, "https://evil.example/");
    assert.equal(service.asked.length, 1);
  });

  test("plain echoes of a value are taken out, in headers and across parts of a body", async (t) => {
    const value = "user/1:pass word+1%";
    const service = await startService(t, ({ headers }, response) => {
      const echo = headers.authorization ?? "";
      response.setHeader("x-echo", `you said ${echo}`);
      response.write(`{"a":"${echo.slice(0, 12)}`);
      setImmediate(() => {
        response.write(echo.slice(12));
        response.end(`","b":"${encodeURIComponent(value)} ${value}"}`);
      });
    });
    const { call } = await openEgress(
      t,
      { functions, secrets: keyFor(`GET ${service.origin}/echo`, basic()) },
      { vault: makeVault({ KEY: value }) },
    );
    const { headers, body } = await call(`${service.origin}/echo`);
    assert.equal(headers["x-echo"], "you said Basic [redacted]");
    assert.equal(body, '{"a":"Basic [redacted]","b":"[redacted] [redacted]"}');
  });

  test("a value that is missing, unfit or out of reach is an answer of 503, and the log says which command helps", async (t) => {
    const service = await startService(t);
    const { call, vault, events } = await openEgress(t, {
      functions,
      secrets: keyFor(`GET ${service.origin}/v1`),
    });
    const ask = async (): Promise<string> => {
      const { status, code, body } = await call(`${service.origin}/v1`);
      assert.doesNotMatch(body, /KEY/);
      return `${status} ${code}`;
    };
    assert.equal(await ask(), "503 EGRESS_SECRET_MISSING");
    assert.match((events[0] as { reason: string }).reason, /curtainwall secret set KEY/);
    vault.set("KEY", "two\r\nlines");
    assert.equal(await ask(), "503 EGRESS_SECRET_UNFIT");
    vault.set("KEY", key);
    vault.isAway = true;
    assert.equal(await ask(), "503 EGRESS_VAULT_UNAVAILABLE");
    vault.isAway = false;
    assert.equal(await ask(), "200 undefined");
    assert.doesNotMatch(JSON.stringify(events), new RegExp(`${key}|two`));
  });

  test("lets what is under way end when it is closed, and cuts what takes too long", async (t) => {
    const held: (() => void)[] = [];
    const service = await startService(t, (_, response) => void held.push(() => response.end("late")));
    const { call, egress } = await openEgress(
      t,
      { functions, secrets: keyFor(`GET ${service.origin}/v1`) },
      { vault: makeVault({ KEY: key }) },
    );
    const first = call(`${service.origin}/v1`);
    while (held.length < 1) await new Promise(setImmediate);
    const closing = egress.close(60_000);
    held[0]?.();
    assert.equal((await first).body, "late");
    await closing;
    assert.deepEqual(egress.inUse(), []);
    const other = await openEgress(
      t,
      { functions, secrets: keyFor(`GET ${service.origin}/v1`) },
      { vault: makeVault({ KEY: key }) },
    );
    const second = other.call(`${service.origin}/v1`);
    while (held.length < 2) await new Promise(setImmediate);
    await other.egress.close(0);
    assert.equal((await second).code, "EGRESS_FAILED");
  });

  test("a value is asked for once, and anew once it changed", async (t) => {
    const service = await startService(t);
    const { call, vault, egress } = await openEgress(
      t,
      { functions, secrets: keyFor(`GET ${service.origin}/v1`) },
      { vault: makeVault({ KEY: key }) },
    );
    await Promise.all(Array.from({ length: 10 }, () => call(`${service.origin}/v1`)));
    assert.deepEqual(vault.asked, ["KEY"]);
    assert.deepEqual(egress.inUse(), [{ name: "KEY", version: 1 }]);
    vault.set("KEY", "another-key-0123456789");
    assert.deepEqual(egress.inUse(), []);
    await call(`${service.origin}/v1`);
    assert.deepEqual(vault.asked, ["KEY", "KEY"]);
    assert.equal(service.asked.at(-1)?.headers.authorization, "Bearer another-key-0123456789");
    assert.deepEqual(egress.inUse(), [{ name: "KEY", version: 2 }]);
  });
});
