import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { CurtainwallError } from "../../shared/index.ts";
import { everyone } from "../access.ts";
import { defineStack } from "../define.ts";
import { fn } from "../define/function.ts";
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
import { github, slack, standardWebhook, stripe } from "../define/webhook.ts";
import { redis } from "../limits/limit-store.ts";
import { parseContract } from "../parse.ts";

// Contracts may be plain JavaScript: no type keeps anything out of them.

const origin = "https://api.delivery.example";
const use = `GET ${origin}/v1/quotes`;

const injectors = {
  bearer: bearer(),
  basic: basic(),
  inHeader: inHeader("X-Key", "Token "),
  inQuery: inQuery("key"),
  hmac: hmac({ header: "X-Sig", over: ["timestamp", "body"], prefix: "v1=" }),
  awsSignature: awsSignature({ region: "eu-central-1", service: "s3" }),
  jwtAssertion: jwtAssertion({ issuer: "a", audience: "b", keyId: "c" }),
  clientCredentials: clientCredentials({ tokenUrl: "https://login.example/t", scope: "a", audience: "b" }),
};

/** Made by any file: of what our functions return, or of what looks like it. */
const stackWith = (inject: unknown, more: object = {}): object => ({
  ...(defineStack({
    origin: "https://www.bakery.example",
    functions: {
      quotes: {
        reaches: [
          `GET ${origin}/v2/free`,
          { request: `POST ${origin}/v2/free`, body: z.object({ a: z.string() }) },
        ],
        settings: { city: "Bath" },
        every: "1h",
        group: "mine",
        runner: "node",
        timeoutMs: 500,
        memoryMb: 100,
      },
    },
    secrets: {
      DELIVERY_KEY: secret({
        use: { request: use, query: { city: z.string() } },
        by: ["fn:quotes"],
        inject: inject as never,
        rotateEveryDays: 9,
      }),
      HOOK_KEY: webhookSecret({ rotateEveryDays: 9 }),
      STORE_KEY: connectionSecret({ rotateEveryDays: 9 }),
    },
    egress: { origins: { [origin]: { network: "public", caFile: "a.pem", timeoutMs: 9, rate: "600/min" } } },
    vault: { key: { file: "k" }, witness: { file: "w" } },
    insecureReducedIsolation: "a laptop, with test keys only",
    limits: {
      store: redis({ url: "rediss://store.example:6380", username: "me", password: "STORE_KEY" }),
      instances: 2,
    },
    routes: {
      "POST /api/hook": {
        access: everyone,
        limit: "9/min per client",
        body: z.object({ a: z.string() }),
        response: z.object({}),
        webhook: stripe("HOOK_KEY", { toleranceSeconds: 60 }),
        to: fn("quotes"),
      },
    },
  }) as object),
  ...more,
});

/** What concerns secrets, functions, egress, the vault and webhooks. */
const topics = ["functions", "secrets", "egress", "vault", "insecureReducedIsolation", "limits"];

/** The places of a contract, outermost first. */
function placesOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  const isPlain = typeof value === "object" && value !== null && !("_zod" in value);
  const members = isPlain ? Object.entries(value) : [];
  return [path, ...members.flatMap(([name, member]) => placesOf(member, [...path, name]))];
}

const places = (stack: object): (readonly string[])[] =>
  placesOf(stack).filter(
    ([topic = "", , option = ""]) => topics.includes(topic) || ["webhook", "to"].includes(option),
  );

/** The same with something else in one place. */
function withAt(value: unknown, [name, ...rest]: readonly string[], odd: unknown): unknown {
  if (name === undefined) return odd;
  const copy: Record<string, unknown> = Object.assign(Array.isArray(value) ? [] : {}, value);
  copy[name] = withAt(copy[name], rest, odd);
  return copy;
}

/** Whether it is taken; whatever is thrown that is no word about the contract goes through. */
function isRead(make: () => unknown): boolean {
  try {
    parseContract(make());
    return true;
  } catch (error) {
    if (error instanceof CurtainwallError && error.code.startsWith("CONTRACT_")) return false;
    throw error;
  }
}

const odds: readonly unknown[] = [
  null,
  undefined,
  true,
  -0,
  Number.NaN,
  10n,
  "",
  "\u0000",
  "__proto__",
  Symbol("odd"),
  () => "odd",
  [],
  [null],
  [Symbol("odd")],
  {},
  new Map([["a", 1]]),
  new Set(["a"]),
  new Date(Number.NaN),
  Object.create(null),
  Object.assign(Object.create(null) as object, { request: Symbol("odd"), kind: Symbol("odd") }),
  JSON.parse('{"__proto__":{"kind":"secret"}}'),
  z.string(),
  z.object({ a: z.string() }),
];

const described = (odd: unknown): string => `${typeof odd} ${Object.prototype.toString.call(odd)}`;

test("the contract of these tests is read, however its secret is put into a request", () => {
  for (const inject of Object.values(injectors)) parseContract(stackWith(inject));
});

suite("Anything in any place is read, or refused as a contract, and never another error", () => {
  for (const [name, inject] of Object.entries(injectors))
    test(`with ${name}()`, () => {
      const stack = stackWith(inject);
      const strange: string[] = [];
      for (const place of places(stack))
        for (const odd of odds)
          try {
            isRead(() => withAt(stack, place, odd));
          } catch (error) {
            strange.push(
              `${place.join(".")} = ${described(odd)}: ${String((error as Error).stack).slice(0, 300)}`,
            );
          }
      assert.deepEqual(strange, []);
    });

  test("whatever a generator of values makes", () => {
    const anything = fc.anything({
      withNullPrototype: true,
      withMap: true,
      withSet: true,
      withDate: true,
      withBigInt: true,
    });
    const anywhere = fc.constantFrom(...Object.values(injectors)).chain((inject) => {
      const stack = stackWith(inject);
      return fc.record({ stack: fc.constant(stack), place: fc.constantFrom(...places(stack)) });
    });
    fc.assert(
      fc.property(
        anywhere,
        anything,
        ({ stack, place }, odd) => void isRead(() => withAt(stack, place, odd)),
      ),
      { numRuns: 2000 },
    );
  });
});

suite(
  "What our own functions are given, whatever it is, is judged with the contract and not where it stands",
  () => {
    type Maker = (...values: readonly never[]) => unknown;
    const makers: Readonly<Record<string, (odd: unknown) => object>> = {
      ...Object.fromEntries(
        Object.entries({
          bearer,
          basic,
          inHeader,
          inQuery,
          hmac,
          awsSignature,
          jwtAssertion,
          clientCredentials,
        }).map(([name, make]) => [
          name,
          (odd: unknown) => stackWith((make as Maker)(odd as never, odd as never)),
        ]),
      ),
      ...Object.fromEntries(
        Object.entries({ secret, webhookSecret, connectionSecret }).map(([name, make]) => [
          name,
          (odd: unknown) => stackWith(bearer(), { secrets: { DELIVERY_KEY: (make as Maker)(odd as never) } }),
        ]),
      ),
      ...Object.fromEntries(
        Object.entries({ stripe, github, slack, standardWebhook }).map(([name, make]) => [
          name,
          (odd: unknown) =>
            withAt(
              stackWith(bearer()),
              ["routes", "POST /api/hook", "webhook"],
              (make as Maker)(odd as never, odd as never),
            ) as object,
        ]),
      ),
      fn: (odd) =>
        withAt(stackWith(bearer()), ["routes", "POST /api/hook", "to"], fn(odd as never)) as object,
      redis: (odd) => stackWith(bearer(), { limits: { store: redis(odd as never), instances: 2 } }),
    };
    for (const [name, make] of Object.entries(makers))
      test(`${name}()`, () => {
        for (const odd of odds) assert.doesNotThrow(() => isRead(() => make(odd)), described(odd));
      });
  },
);

suite("What is not an object of names is told so, with its place", () => {
  const wrong: Readonly<Record<string, [stack: object, told: RegExp]>> = {
    "functions as a list": [stackWith(bearer(), { functions: [] }), /functions must be an object/],
    "secrets as a Map": [stackWith(bearer(), { secrets: new Map() }), /secrets must be an object, not a Map/],
    "an assertion of nothing": [
      stackWith(jwtAssertion(null as never)),
      /secrets\.DELIVERY_KEY\.inject, jwt\.issuer/,
    ],
    "a function without a name": [
      withAt(stackWith(bearer()), ["routes", "POST /api/hook", "to"], fn(Symbol("x") as never)) as object,
      /POST \/api\/hook/,
    ],
  };
  for (const [what, [stack, told]] of Object.entries(wrong))
    test(what, () => assert.throws(() => parseContract(stack), told));
});
