import assert from "node:assert/strict";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { mock, suite, test } from "node:test";
import type { TestContext } from "node:test";
import { clientCredentials, fn, secret } from "../../contract/index.ts";
import type { ClientCredentialsOptions, UseText } from "../../contract/index.ts";
import { authority } from "../fixtures/certificates.ts";
import { makeVault, openEgress } from "../fixtures/open-egress.ts";
import type { OpenEgress } from "../fixtures/open-egress.ts";
import { startService } from "../fixtures/service.ts";
import type { Asked, TestService } from "../fixtures/service.ts";

const value = "machine:p+s w:rd%-of-nobody";

/** A service, a token endpoint that answers as it is told, and egress before both. */
async function open(
  t: TestContext,
  {
    answer,
    serve = () => 200,
    ...options
  }: Partial<ClientCredentialsOptions> & {
    answer: (asked: Asked) => [status: number, body: string];
    serve?: (asked: Asked) => number;
  },
): Promise<OpenEgress & { tokens: TestService; service: TestService }> {
  const tokens = await startService(
    t,
    (asked, response) => {
      const [status, body] = answer(asked);
      response.writeHead(status, { "content-type": "application/json" }).end(body);
    },
    { host: "login.example" },
  );
  const service = await startService(t, (asked, response) =>
    response.writeHead(serve(asked)).end(`you said ${asked.headers.authorization}`),
  );
  const opened = await openEgress(
    t,
    {
      functions: { quotes: {} },
      secrets: {
        KEY: secret({
          use: `GET ${service.origin}/v1` as UseText,
          by: fn("quotes"),
          inject: clientCredentials({ tokenUrl: `${tokens.origin}/token`, scope: "quotes", ...options }),
        }),
      },
    },
    { vault: makeVault({ KEY: value }) },
  );
  return { ...opened, tokens, service };
}

let made = 0;
const tokenOf = (more: object = {}): [number, string] => [
  200,
  JSON.stringify({ access_token: `token-of-nobody-${++made}`, token_type: "Bearer", ...more }),
];

suite("client credentials", () => {
  test("all who need a token ask for one together, and use it while it counts", async (t) => {
    const { call, tokens, service } = await open(t, { answer: () => tokenOf({ expires_in: 3600 }) });
    const came = await Promise.all(Array.from({ length: 10 }, () => call(`${service.origin}/v1`)));
    assert.equal(tokens.asked.length, 1);
    const [asked] = tokens.asked;
    assert.equal(asked?.line, "POST /token");
    assert.equal(asked?.body, "grant_type=client_credentials&scope=quotes");
    // RFC 6749 §2.3.1: each part is form-encoded before they are joined.
    assert.equal(
      Buffer.from((asked?.headers.authorization ?? "").slice("Basic ".length), "base64").toString(),
      "machine:p%2Bs+w%3Ard%25-of-nobody",
    );
    assert.match(service.asked[0]?.headers.authorization ?? "", /^Bearer token-of-nobody-\d+$/);
    assert.deepEqual(new Set(came.map(({ body }) => body)), new Set(["you said Bearer [redacted]"]));
  });

  test("a token that is about to run out is not used", async (t) => {
    const { call, tokens, service } = await open(t, { answer: () => tokenOf({ expires_in: 0 }) });
    await call(`${service.origin}/v1`);
    await call(`${service.origin}/v1`);
    assert.equal(tokens.asked.length, 2);
  });

  test("a token that the service refuses is had anew, once", async (t) => {
    const revoked = new Set<string | undefined>();
    const { call, tokens, service } = await open(t, {
      answer: () => tokenOf({ expires_in: 3600 }),
      serve: ({ headers }) => (revoked.has(headers.authorization) ? 401 : 200),
    });
    assert.equal((await call(`${service.origin}/v1`)).status, 200);
    revoked.add(service.asked[0]?.headers.authorization);
    assert.equal((await call(`${service.origin}/v1`)).status, 200);
    assert.equal(tokens.asked.length, 2);
    const all = await open(t, { answer: () => tokenOf({ expires_in: 3600 }), serve: () => 401 });
    assert.equal((await all.call(`${all.service.origin}/v1`)).status, 401);
    assert.equal(all.service.asked.length, 2);
    assert.equal(all.tokens.asked.length, 2);
  });

  test("a new value is a new token", async (t) => {
    const { call, tokens, service, vault } = await open(t, { answer: () => tokenOf({ expires_in: 3600 }) });
    await call(`${service.origin}/v1`);
    vault.set("KEY", "machine:another-of-nobody");
    await call(`${service.origin}/v1`);
    assert.equal(tokens.asked.length, 2);
  });

  test("a secret in the form, and an audience, for servers that ask for that", async (t) => {
    const { call, tokens, service } = await open(t, {
      answer: () => tokenOf(),
      authentication: "post",
      audience: "https://api.example",
    });
    await call(`${service.origin}/v1`);
    assert.deepEqual(Object.fromEntries(new URLSearchParams(tokens.asked[0]?.body)), {
      grant_type: "client_credentials",
      scope: "quotes",
      audience: "https://api.example",
      client_id: "machine",
      client_secret: "p+s w:rd%-of-nobody",
    });
    assert.equal(tokens.asked[0]?.headers.authorization, undefined);
  });

  test("a token endpoint that refuses, redirects, lies or floods is an answer of 502, which says nothing of the value", async (t) => {
    const long = JSON.stringify({ access_token: "x".repeat(70_000), token_type: "Bearer" });
    for (const [status, body] of [
      [400, '{"error":"invalid_client","error_description":"p+s w:rd%-of-nobody"}'],
      [302, ""],
      [200, "not JSON"],
      [200, '{"access_token":"a\\r\\nX-Evil: 1","token_type":"Bearer"}'],
      [200, '{"access_token":"a","token_type":"mac"}'],
      [200, '{"access_token":"a","access_token":"b","token_type":"Bearer"}'],
      [200, "[]"],
      [200, long],
    ] as const) {
      const { call, service, events } = await open(t, { answer: () => [status, body] });
      const came = await call(`${service.origin}/v1`);
      assert.equal(`${came.status} ${came.code}`, "502 EGRESS_TOKEN_REFUSED", body.slice(0, 50));
      assert.deepEqual(service.asked, []);
      assert.doesNotMatch(came.body + JSON.stringify(events), /nobody/);
    }
  });

  test("a token endpoint that refused is not asked again by each request", async (t) => {
    const { call, tokens, service } = await open(t, { answer: () => [401, "{}"] });
    for (let count = 0; count < 20; count++) await call(`${service.origin}/v1`);
    assert.equal(tokens.asked.length, 1);
  });

  test("a real provider gives tokens for the value", async (t) => {
    // It tells what a production set-up would change.
    mock.method(console, "warn", () => undefined);
    mock.method(console, "info", () => undefined);
    t.after(() => mock.restoreAll());
    const { Provider } = await import("oidc-provider");
    const server = createServer(await authority.issue(["login.example"]));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    const issuer = `https://login.example:${(server.address() as AddressInfo).port}`;
    const provider = new Provider(issuer, {
      clients: [
        {
          client_id: "machine",
          client_secret: "p+s w:rd%-of-nobody",
          redirect_uris: [],
          response_types: [],
          grant_types: ["client_credentials"],
        },
      ],
      cookies: { keys: ["test"] },
      features: { clientCredentials: { enabled: true } },
    });
    const handle = provider.callback();
    server.on("request", (request, response) => void handle(request, response));
    const seen: (string | undefined)[] = [];
    const service = await startService(t, ({ headers }, response) => {
      seen.push(headers.authorization);
      response.end("ok");
    });
    const { call, vault } = await openEgress(
      t,
      {
        functions: { quotes: {} },
        secrets: {
          KEY: secret({
            use: `GET ${service.origin}/v1` as UseText,
            by: fn("quotes"),
            inject: clientCredentials({ tokenUrl: `${issuer}/token` }),
          }),
        },
      },
      { vault: makeVault({ KEY: value }) },
    );
    assert.equal((await call(`${service.origin}/v1`)).status, 200);
    const token = await provider.ClientCredentials.find((seen[0] ?? "").slice("Bearer ".length));
    assert.equal(token?.clientId, "machine");
    vault.set("KEY", "machine:wrong");
    assert.equal((await call(`${service.origin}/v1`)).code, "EGRESS_TOKEN_REFUSED");
  });
});
