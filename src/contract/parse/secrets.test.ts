import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { z } from "zod";
import { CurtainwallError } from "../../shared/index.ts";
import { everyone } from "../access.ts";
import type { Contract } from "../contract.ts";
import { defineStack } from "../define.ts";
import {
  awsSignature,
  basic,
  bearer,
  clientCredentials,
  hmac,
  inHeader,
  inQuery,
  jwtAssertion,
} from "../define/inject.ts";
import { connectionSecret, secret, webhookSecret } from "../define/secret.ts";
import { upstream } from "../define/upstream.ts";
import { stripe } from "../define/webhook.ts";
import { parseContract } from "../parse.ts";

type Members = Record<string, unknown>;

const use = "GET https://api.delivery.example/v1/quotes";
const quotes: Members = { use, by: "fn:quotes", inject: bearer() };
const route = { access: everyone, limit: "9/min per client", response: z.object({}), to: "weather" };

const stackOf = (secrets: unknown, more: Members = {}): unknown =>
  defineStack({
    origin: "https://www.bakery.example",
    functions: { quotes: {}, mail: {} },
    upstreams: {
      weather: upstream({ url: "https://api.weather.example/v1", timeoutMs: 700, caFile: "w.pem" }),
    },
    routes: { "GET /api/weather/:city": { ...route, params: { city: z.string() } } },
    secrets,
    ...more,
  } as never);

const parse = (secrets: unknown, more?: Members): Contract => parseContract(stackOf(secrets, more));
const read = (changes: Members, more?: Members): Contract =>
  parse({ DELIVERY_KEY: secret({ ...quotes, ...changes } as never) }, more);

function refusalOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof CurtainwallError, String(error));
    return `${error.code}: ${error.message} ${error.hint ?? ""}`;
  }
  return assert.fail("the contract was accepted");
}

test("a secret's uses, its users and what it is put into are read, with their defaults", () => {
  const contract = parse({
    DELIVERY_KEY: secret({
      use: [
        use,
        {
          request: "POST https://api.delivery.example:443/v1/orders/*/**",
          body: z.object({ to: z.string() }),
        },
      ],
      by: ["fn:quotes", "fn:quotes"],
      inject: inHeader("X-Api-Key"),
    } as never),
    PAYMENT_KEY: webhookSecret(),
    STORE_PASSWORD: connectionSecret({ rotateEveryDays: 90 }),
  });
  const { uses, ...rest } = contract.secrets.get("DELIVERY_KEY") ?? assert.fail();
  assert.deepEqual(rest, {
    name: "DELIVERY_KEY",
    purpose: "request",
    by: ["fn:quotes"],
    inject: { kind: "header", name: "X-Api-Key", prefix: "" },
    rotateEveryDays: undefined,
  });
  assert.deepEqual(
    uses.map(({ method, origin, path }) => [method, origin, path]),
    [
      ["GET", "https://api.delivery.example", ["v1", "quotes"]],
      ["POST", "https://api.delivery.example", ["v1", "orders", "*", "**"]],
    ],
  );
  assert.equal(
    z.safeParse(uses[1]?.body ?? z.any(), { to: "x", more: 1 }).success,
    false,
    "bodies are closed",
  );
  assert.deepEqual(contract.secrets.get("PAYMENT_KEY")?.uses, []);
  assert.equal(contract.secrets.get("STORE_PASSWORD")?.rotateEveryDays, 90);
});

suite("A use is refused", () => {
  const refused: Record<string, [use: unknown, told: RegExp]> = {
    "without a method, which is then named": [
      "https://api.delivery.example/v1",
      /no method[\s\S]*"GET https:\/\/api\.delivery\.example\/v1"/,
    ],
    "over http, where a test server's certificate can be named": [
      "POST http://localhost:3000/v1",
      /no method[\s\S]*caFile/,
    ],
    "without https": ["GET http://api.delivery.example/v1", /no method, https origin and path/],
    "without a path": ["GET https://api.delivery.example", /no method, https origin and path/],
    "with a star in its host": ["GET https://*.delivery.example/v1", /names no host/],
    "with a user": ["GET https://me@api.delivery.example/v1", /no method, https/],
    "with an escape, which services read in different ways": [
      "GET https://api.delivery.example/v1/..%2fadmin",
      /can't stand in its path/,
    ],
    "with dots": ["GET https://api.delivery.example/v1/../admin", /"\.\." can't stand/],
    "with two slashes": ["GET https://api.delivery.example//admin", /"" can't stand/],
    "with two stars before the end": ["GET https://api.delivery.example/**/quotes", /"\*\*" can't stand/],
    "with a star in a segment": ["GET https://api.delivery.example/v1/quo*", /"quo\*" can't stand/],
    "with a query in its address": [`${use}?city=1`, /no method, https/],
    "with another method": ["HEAD https://api.delivery.example/v1", /no method, https/],
    "that is empty": [[], /is empty/],
    "with a body on GET": [{ request: use, body: z.object({}) }, /a GET carries no body/],
    "with an open body": [
      { request: use.replace("GET", "POST"), body: z.looseObject({}) },
      /CONTRACT_SCHEMA_OPEN/,
    ],
    "with an option that there isn't": [{ request: use, querry: {} }, /Did you mean "query"/],
    "to cloud metadata": ["GET https://169.254.169.254/latest", /no service has such an address/],
    "to cloud metadata, written otherwise": [
      "GET https://0xa9fea9fe/latest",
      /no service has such an address/,
    ],
  };
  for (const [what, [written, told]] of Object.entries(refused))
    test(what, () =>
      assert.match(
        refusalOf(() => read({ use: written })),
        told,
      ),
    );
});

suite("How it is put into a request", () => {
  const accepted = [
    bearer(),
    basic(),
    inHeader("Authorization", "Token "),
    inQuery("key"),
    hmac({ header: "X-Signature", over: ["timestamp", "body"] }),
    awsSignature({ region: "eu-central-1", service: "s3" }),
    jwtAssertion({ issuer: "app-7", audience: "https://api.example" }),
    clientCredentials({ tokenUrl: "https://login.example/token?tenant=7", scope: "quotes:read mail" }),
  ];
  for (const inject of accepted)
    test(`${inject.kind} is read as it was made`, () =>
      assert.deepEqual(read({ inject }).secrets.get("DELIVERY_KEY")?.inject, inject));

  const refused: Record<string, [inject: unknown, told: RegExp]> = {
    "not at all": [undefined, /must say how it is put into a request/],
    "in a way that there isn't": [{ kind: "cookie" }, /by bearer\(\)/],
    "with an option that there isn't": [{ ...inHeader("X-Key"), suffix: "x" }, /no option "suffix"/],
    "in Host": [inHeader("Host"), /header\.name must be a header that says nothing/],
    "in Content-Length": [inHeader("content-length"), /header\.name/],
    "in Transfer-Encoding": [inHeader("Transfer-Encoding"), /header\.name/],
    "in a header of ours": [inHeader("X-Curtainwall-Function"), /header\.name/],
    "in a name that ends a line": [inHeader("X-Key\r\nX-Other"), /header\.name/],
    "after a prefix that ends a line": [inHeader("X-Key", "a\r\nX-Other: "), /header\.prefix/],
    "in a query key that is none": [inQuery(""), /query\.name/],
    "signed over nothing": [hmac({ header: "X-Sig", over: [] }), /hmac\.over/],
    "signed over something else": [hmac({ header: "X-Sig", over: ["cookie" as never] }), /hmac\.over/],
    "signed over something twice": [hmac({ header: "X-Sig", over: ["body", "body"] }), /hmac\.over/],
    "signed with another algorithm": [
      hmac({ header: "X-Sig", over: ["body"], algorithm: "md5" as never }),
      /hmac\.algorithm must be one of sha256/,
    ],
    "signed, with the time in the same header": [
      hmac({ header: "X-Sig", over: ["timestamp"], timestampHeader: "x-sig" }),
      /hmac\.timestampHeader/,
    ],
    "for no region": [awsSignature({ region: "", service: "s3" }), /aws\.region/],
    "as a token for ever": [
      jwtAssertion({ issuer: "a", audience: "b", lifetimeSeconds: 86_400 }),
      /10 to 3600/,
    ],
    "as a token of another algorithm": [
      jwtAssertion({ issuer: "a", audience: "b", algorithm: "none" as never }),
      /jwt\.algorithm/,
    ],
    "with tokens had over http": [
      clientCredentials({ tokenUrl: "http://login.example/t" }),
      /tokenUrl must be an https/,
    ],
    "with tokens had from a user's URL": [
      clientCredentials({ tokenUrl: "https://a:b@login.example/t" }),
      /tokenUrl/,
    ],
    "with scopes that are none": [
      clientCredentials({ tokenUrl: "https://login.example/t", scope: "a\nb" }),
      /\.scope/,
    ],
  };
  for (const [what, [inject, told]] of Object.entries(refused))
    test(`is refused ${what}`, () =>
      assert.match(
        refusalOf(() => read({ inject })),
        told,
      ));
});

suite("Who may cause a use", () => {
  const key = "GET /api/weather/:city";
  const weather = "GET https://api.weather.example/v1/api/weather/*";

  test("a route may whose upstream's address and whose own path fit it", () => {
    assert.deepEqual(read({ by: key, use: weather }).secrets.get("DELIVERY_KEY")?.by, [key]);
    assert.ok(read({ by: key, use: "GET https://api.weather.example/v1/**" }));
  });

  const refused: Record<string, [changes: Members, told: RegExp]> = {
    "a function that there isn't": [{ by: "fn:quots" }, /REFERENCE_UNKNOWN.*Did you mean "fn:quotes"/s],
    "a route that there isn't": [{ by: "GET /api/wether/:city" }, /Did you mean "GET \/api\/weather\/:city"/],
    nobody: [{ by: [] }, /must say who causes its use/],
    "a number": [{ by: 7 }, /must say who causes its use/],
    "a route of another origin": [{ by: key, use }, /none of its uses fits that/],
    "a route of another path": [
      { by: key, use: "GET https://api.weather.example/v2/**" },
      /none of its uses/,
    ],
    "a route of another method": [
      { by: key, use: "POST https://api.weather.example/v1/**" },
      /none of its uses/,
    ],
    "a route with a parameter where the use has a text": [
      { by: key, use: "GET https://api.weather.example/v1/api/weather/bergen" },
      /use: "GET https:\/\/api\.weather\.example\/v1\/api\/weather\/\*"/,
    ],
  };
  for (const [what, [changes, told]] of Object.entries(refused))
    test(`not ${what}`, () =>
      assert.match(
        refusalOf(() => read(changes)),
        told,
      ));

  test("not a route whose upstream asks for a client certificate, which egress has not", () => {
    const clientCertificate = { certFile: "client.pem", keyFile: "client.key" };
    const upstreams = {
      weather: upstream({ url: "https://api.weather.example/v1", clientCertificate }),
    };
    assert.match(
      refusalOf(() => read({ by: key, use: weather }, { upstreams })),
      /asks for a client certificate/,
    );
  });

  test("not a route that a function answers: the function causes it", () => {
    const routes = { "GET /api/q": { ...route, to: "fn:quotes" } };
    assert.match(
      refusalOf(() => read({ by: "GET /api/q" }, { routes })),
      /by: fn\("quotes"\)/,
    );
  });

  test("not a route one of whose upstream's addresses is elsewhere", () => {
    const url = ["https://api.weather.example/v1", "https://two.weather.example/v1"] as const;
    const upstreams = { weather: upstream({ url }) };
    assert.match(
      refusalOf(() => read({ by: key, use: weather }, { upstreams })),
      /two\.weather\.example/,
    );
  });
});

suite("One request has one answer to what it is sent with", () => {
  const both = (first: Members, second: Members, more?: Members): unknown =>
    stackOf(
      { A: secret({ ...quotes, ...first } as never), B: secret({ ...quotes, ...second } as never) },
      more,
    );
  test("two secrets for one request and one user are refused", () => {
    for (const other of [
      use,
      "GET https://api.delivery.example/*/quotes",
      "GET https://api.delivery.example/**",
    ])
      assert.match(
        refusalOf(() => parseContract(both({}, { use: other }))),
        /fn:quotes may send .* with A and .* with B/,
      );
  });
  test("so is a request that a function may also send without its secret", () => {
    const functions = { quotes: { reaches: "GET https://api.delivery.example/v1/*" }, mail: {} };
    assert.match(
      refusalOf(() => read({}, { functions })),
      /with DELIVERY_KEY and .* without a secret/,
    );
  });
  test("two users, two methods, two paths are not", () => {
    assert.ok(parseContract(both({}, { by: "fn:mail" })));
    assert.ok(parseContract(both({}, { use: use.replace("GET", "POST") })));
    assert.ok(parseContract(both({}, { use: `${use}/two` })));
  });
  test("a user can't say the query key that the value is put into", () => {
    const query = { key: z.string(), city: z.string() };
    const changes = { inject: inQuery("key"), use: { request: use, query } };
    assert.match(
      refusalOf(() => read(changes)),
      /lets its user say "key"/,
    );
    assert.ok(read({ ...changes, inject: inQuery("token") }));
  });
});

suite("How a service is reached", () => {
  const origin = "https://api.delivery.example";
  const reached = (entry: Members): Contract => read({}, { egress: { origins: { [origin]: entry } } });

  test("has defaults, for each origin that is named, where tokens are had too", () => {
    const inject = clientCredentials({ tokenUrl: "https://login.internal/token" });
    const { egressOrigins } = read({ inject }, { egress: { origins: { [origin]: { rate: "600/min" } } } });
    assert.deepEqual([...egressOrigins.keys()], [origin, "https://login.internal"]);
    assert.equal(egressOrigins.get(origin)?.rate?.count, 600);
    assert.deepEqual(egressOrigins.get("https://login.internal"), {
      origin: "https://login.internal",
      network: "private",
      caFile: undefined,
      timeoutMs: 10_000,
      maxResponseBytes: 1_048_576,
      maxRequestBytes: 1_048_576,
      concurrency: 32,
      rate: undefined,
    });
  });

  test("is as its upstream says, where a route causes it", () => {
    const changes = { by: "GET /api/weather/:city", use: "GET https://api.weather.example/v1/**" };
    const entry = read(changes).egressOrigins.get("https://api.weather.example");
    assert.deepEqual([entry?.timeoutMs, entry?.caFile, entry?.network], [700, "w.pem", "public"]);
  });

  const refused: Record<string, [egress: unknown, told: RegExp]> = {
    "an origin that nobody uses": [
      { origins: { "https://api.delivry.example": {} } },
      /Did you mean "https:\/\/api\.delivery/,
    ],
    "an origin with a slash": [{ origins: { [`${origin}/`]: {} } }, /not how an origin is written/],
    "a network that there isn't": [
      { origins: { [origin]: { network: "vpn" } } },
      /"public", "private" or "loopback"/,
    ],
    "a rate that is none": [{ origins: { [origin]: { rate: "fast" } } }, /rate: "600\/min"/],
    "a rate that takes years": [{ origins: { [origin]: { rate: "1/9999d" } } }, /31 days|must be how often/],
    "an option that there isn't": [{ origins: { [origin]: { timeout: 1 } } }, /Did you mean "timeoutMs"/],
    "what is no object": [{ origins: [] }, /must be an object/],
    "a section that is none": ["x", /egress must be an object/],
  };
  for (const [what, [egress, told]] of Object.entries(refused))
    test(`not ${what}`, () =>
      assert.match(
        refusalOf(() => read({}, { egress })),
        told,
      ));

  test("not an address in another network than it lies in", () => {
    const local = "https://127.0.0.1:9443";
    const changes = { use: `GET ${local}/v1` };
    assert.equal(read(changes).egressOrigins.get(local)?.network, "loopback");
    const egress = { origins: { [local]: { network: "public" } } };
    assert.match(
      refusalOf(() => read(changes, { egress })),
      /which is loopback, and not public/,
    );
    assert.equal(reached({ network: "private" }).egressOrigins.get(origin)?.network, "private");
  });
});

suite("The vault's key", () => {
  test("comes from one place", () => {
    const vault = (key: unknown): unknown => parse({}, { vault: { key } }).vault.key;
    assert.deepEqual(vault({ file: "k" }), { kind: "file", file: "k" });
    assert.deepEqual(vault({ credential: "c" }), { kind: "credential", name: "c" });
    assert.deepEqual(vault({ passphrase: true }), { kind: "passphrase" });
    assert.equal(parse({}).vault.key, undefined);
  });
  for (const key of [
    {},
    { passphrase: "hunter2" },
    { file: "k", passphrase: true },
    { file: "" },
    "k",
    { fil: "k" },
  ])
    test(`is not ${JSON.stringify(key)}`, () => {
      const told = refusalOf(() => parse({}, { vault: { key } }));
      assert.match(told, /vault\.key/);
      assert.doesNotMatch(told, /hunter2/);
    });
});

suite("What is no secret is refused", () => {
  const refused: Record<string, [secrets: unknown, told: RegExp]> = {
    "a value": [{ DELIVERY_KEY: "s3cr3t-value" }, /was not made by secret\(\)/],
    "a small name": [{ deliveryKey: webhookSecret() }, /capital letters/],
    "a list": [[], /secrets must be an object/],
    "one that says too little": [{ A: { kind: "secret", purpose: "all" } }, /was not made by secret/],
    "one that says too much": [{ A: { ...webhookSecret(), use } }, /no option "use"/],
    "one for ever": [{ A: webhookSecret({ rotateEveryDays: 4000 }) }, /1 to 3650/],
  };
  for (const [what, [secrets, told]] of Object.entries(refused))
    test(what, () => {
      const refusal = refusalOf(() => parse(secrets));
      assert.match(refusal, told);
      assert.doesNotMatch(refusal, /s3cr3t/, "a value that somebody wrote there is not told on");
    });
});

test("a webhook's misspelt option is told, and what names no secret is not repeated as a line to write", () => {
  const refused = (webhook: unknown): string =>
    refusalOf(() =>
      parse(
        { HOOK_KEY: webhookSecret() },
        {
          routes: {
            "POST /api/hook": { ...route, body: z.object({}), webhook },
          },
        },
      ),
    );
  assert.match(refused(stripe("HOOK_KEY", { tolerance: 10 } as never)), /no option "tolerance"/);
  for (const name of ["\u001b[31mred", Object.create(null), Symbol("x")]) {
    const told = refused(stripe(name as never));
    assert.match(told, /CONTRACT_REFERENCE_UNKNOWN/);
    assert.ok(!told.includes("\u001b"));
  }
});
