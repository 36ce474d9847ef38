import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { z } from "zod";
import { everyone } from "../access.ts";
import type { Contract } from "../contract.ts";
import type { ContractLedger } from "../contract/host.ts";
import type { ContractLimitStore } from "../contract/limits.ts";
import type {
  ContractEgressOrigin,
  ContractFunction,
  ContractSecret,
  ContractVault,
} from "../contract/secret.ts";
import { basic, bearer } from "../define/inject.ts";
import { connectionSecret, secret, webhookSecret } from "../define/secret.ts";
import { stripe } from "../define/webhook.ts";
import { contractDigest } from "../release/contract-digest.ts";
import { assertTold, fieldsOf, read, told } from "./fixtures/told.ts";
import type { Members, Pair } from "./fixtures/told.ts";
import {
  egressOriginTreatments,
  functionTreatments,
  ledgerTreatments,
  limitStoreTreatments,
  secretTreatments,
  vaultTreatments,
} from "./treatment.ts";

const use = "GET https://api.delivery.example/v1/*";
const functions: Partial<Record<keyof ContractFunction, Pair>> = {
  name: [{}, { mail: {} }],
  reaches: [{}, { list: { reaches: use } }],
  maxResponseBytes: [{}, { list: { maxResponseBytes: 2_000_000 } }],
  runner: [{}, { list: { runner: "node" } }],
  group: [{}, { list: { group: "quotes" } }],
  everyMs: [{ list: { every: "2h" } }, { list: { every: "1h" } }],
};

const secrets: Partial<Record<keyof ContractSecret, Pair>> = {
  uses: [{}, { use: use.replace("/*", "/**") }],
  by: [{}, { by: ["fn:quotes", "fn:list"] }],
  inject: [{}, { inject: basic() }],
  rotateEveryDays: [{ rotateEveryDays: 30 }, {}],
};

const origins: Partial<Record<keyof ContractEgressOrigin, Pair>> = {
  network: [{}, { network: "private" }],
  caFile: [{}, { caFile: "own.pem" }],
  maxResponseBytes: [{}, { maxResponseBytes: 2_000_000 }],
  maxRequestBytes: [{}, { maxRequestBytes: 2_000_000 }],
  concurrency: [{}, { concurrency: 33 }],
  rate: [{ rate: "9/s" }, {}],
};

const vaults: Partial<Record<keyof ContractVault, Pair>> = {
  key: [{ key: { credential: "vault" } }, {}],
  witnessFile: [{ witness: { file: "seen" } }, {}],
};

const ledgers: Partial<Record<keyof ContractLedger, Pair>> = {
  witnessFile: [{ witness: { file: "seen" } }, {}],
};

const stores: Partial<Record<keyof ContractLimitStore, Pair>> = {
  url: [{}, { url: "rediss://other.example" }],
  username: [{ password: "STORE" }, { password: "STORE", username: "admin" }],
  secret: [{ password: "STORE" }, { password: "OTHER_STORE" }],
  caFile: [{}, { caFile: "own.pem" }],
  instances: [{ instances: 20 }, { instances: 2 }],
};

/** A contract with a secret, who uses it, and where it goes. */
function withService({
  fns = {},
  key: changes = {},
  origin = {},
  vault = {},
  store,
}: Record<string, Members>): Contract {
  const { instances = 2, ...redis } = store ?? {};
  return read(
    {},
    {
      functions: { quotes: {}, list: {}, ...fns },
      secrets: {
        HOOK_KEY: webhookSecret(),
        STORE: connectionSecret(),
        OTHER_STORE: connectionSecret(),
        KEY: secret({ use, by: "fn:quotes", inject: bearer(), ...changes } as never),
      },
      ...(Object.keys(origin).length === 0
        ? {}
        : { egress: { origins: { "https://api.delivery.example": origin } } }),
      vault,
      ...(store === undefined
        ? {}
        : { limits: { store: { kind: "redis", url: "rediss://counts.example", ...redis }, instances } }),
    },
  );
}

suite("Whatever permits something of services is told when it permits more", () => {
  for (const [name, [narrow, wide]] of Object.entries(functions))
    test(`of a function: ${name}`, () =>
      assertTold(withService({ fns: narrow }), withService({ fns: wide }), true));
  for (const [name, [narrow, wide]] of Object.entries(secrets))
    test(`of a secret: ${name}`, () =>
      assertTold(withService({ key: narrow }), withService({ key: wide }), true));
  for (const [name, [narrow, wide]] of Object.entries(origins))
    test(`of a service: ${name}`, async () => {
      const [before, after] = [withService({ origin: narrow }), withService({ origin: wide })];
      assert.notDeepEqual(told(before, after), []);
      // Another network is another, in either direction.
      if (name !== "network") await assertTold(before, after, false);
    });
  for (const [name, [narrow, wide]] of Object.entries(vaults))
    test(`of the vault: ${name}`, () =>
      assert.notDeepEqual(told(withService({ vault: narrow }), withService({ vault: wide })), []));
  for (const [name, [narrow, wide]] of Object.entries(ledgers))
    test(`of the log: ${name}`, () =>
      assertTold(read({}, { ledger: narrow }), read({}, { ledger: wide }), false));
  for (const [name, [narrow, wide]] of Object.entries(stores))
    test(`of where hosts count together: ${name}`, () =>
      assertTold(withService({ store: narrow }), withService({ store: wide }), false));

  test("no field is forgotten", () => {
    assert.deepEqual(Object.keys(functions).sort(), fieldsOf(functionTreatments, []));
    assert.deepEqual(Object.keys(secrets).sort(), fieldsOf(secretTreatments, ["name", "purpose"]));
    assert.deepEqual(Object.keys(origins).sort(), fieldsOf(egressOriginTreatments, ["origin"]));
    assert.deepEqual(Object.keys(vaults).sort(), fieldsOf(vaultTreatments, []));
    assert.deepEqual(Object.keys(ledgers).sort(), fieldsOf(ledgerTreatments, []));
    assert.deepEqual(Object.keys(stores).sort(), fieldsOf(limitStoreTreatments, []));
  });

  test("every field of a parsed service is in a table", () => {
    const service = withService({ store: {} });
    const known: [object, object][] = [
      [service.functions.get("quotes") ?? {}, functionTreatments],
      [service.secrets.get("KEY") ?? {}, secretTreatments],
      [service.egressOrigins.values().next().value ?? {}, egressOriginTreatments],
      [service.vault, vaultTreatments],
      [service.ledger, ledgerTreatments],
      [service.limitStore ?? {}, limitStoreTreatments],
    ];
    for (const [parsed, treatments] of known)
      assert.deepEqual(
        Object.keys(parsed).filter((name) => !Object.hasOwn(treatments, name)),
        [],
      );
  });
});

suite("What a secret may be used for, told", () => {
  const at = (path: string): string => `GET https://api.delivery.example${path}`;
  const diff = (before: unknown, after: unknown): string[] =>
    told(withService({ key: { use: before } }), withService({ key: { use: after } }));
  const city = z.string().max(40);
  const post = { request: "POST https://api.delivery.example/v1/orders", body: z.object({ to: city }) };
  const place = "secret KEY by fn:quotes GET https://api.delivery.example";

  test("a wider path is told with both", () => {
    assert.deepEqual(diff(at("/v1/quotes"), at("/v1/*")), [`${place}: /v1/quotes → /v1/*`]);
    assert.deepEqual(diff(at("/v1/*"), at("/v1/quotes")), []);
    assert.deepEqual(diff(at("/v1/**"), [at("/v1/quotes"), at("/v1/a/*")]), []);
    assert.equal(diff(at("/v1/*"), [at("/v1/quotes"), at("/v2/quotes")]).length, 1);
  });

  test("so are another method, another origin and another user", () => {
    const changes: [Members, RegExp][] = [
      [{ use: post }, /by fn:quotes POST .*: \/v1\/orders; body: to \(string to 40 \(required\)\)$/],
      [{ use: "GET https://evil.example/v1/quotes" }, /by fn:quotes GET https:\/\/evil\.example/],
      [{ by: "fn:list" }, /by fn:list GET/],
    ];
    for (const [changed, line] of changes) {
      const lines = told(withService({}), withService({ key: changed }));
      assert.ok(
        lines.some((entry) => line.test(entry)),
        lines.join("\n"),
      );
    }
  });

  test("a query or a body that takes more is told, one that takes less is not", () => {
    const request = at("/v1/quotes");
    const narrow = { request, query: { city } };
    const wide = { request, query: { city, all: city.optional() } };
    assert.match(diff(narrow, wide).join(), /query: city .*→ .*all/);
    assert.match(diff(narrow, request).join(), /→ \/v1\/quotes$/);
    assert.deepEqual(diff(wide, narrow), []);
    assert.deepEqual(diff(request, narrow), []);
    assert.equal(diff(post, { ...post, body: z.object({ to: z.string().max(41) }) }).length, 1);
  });

  test("a process that others join is told, whoever uses the secrets", () => {
    assert.deepEqual(told(withService({}), withService({ fns: { list: { group: "quotes" } } })), [
      "process quotes: list",
      "process quotes: quotes",
    ]);
    const plain = { a: {}, b: {} };
    assert.deepEqual(
      told(withService({ fns: plain }), withService({ fns: { a: { group: "x" }, b: { group: "x" } } })),
      [],
    );
  });

  test("what a secret had is not missed where the secret is gone", () => {
    const gone = read({}, { functions: { quotes: {}, list: {} }, secrets: { HOOK_KEY: webhookSecret() } });
    assert.deepEqual(told(withService({ key: { rotateEveryDays: 30 } }), gone), []);
  });

  test("a webhook that is no longer checked is told", () => {
    const signed = read({ access: everyone, webhook: stripe("HOOK_KEY") });
    assert.match(told(signed, read({ access: everyone })).join(), /guards: no longer .*webhook/);
    assert.deepEqual(told(read({ access: everyone }), signed), []);
  });
});

suite("What opens a store of limits, told", () => {
  test("a password that is sent somewhere is a use of a secret", () => {
    const open = withService({ store: { password: "STORE" } });
    assert.deepEqual(told(withService({ store: {} }), open), [
      "secret STORE opens: limits store rediss://counts.example",
    ]);
    assert.deepEqual(told(open, withService({ store: {} })), []);
  });

  test("hosts that no longer count together permit more, each by itself", () => {
    const gone = told(withService({ store: { instances: 20, caFile: "own.pem" } }), withService({}));
    assert.deepEqual(gone, ['limits guards: no longer {"instances":20}']);
    assert.deepEqual(told(withService({}), withService({ store: {} })), [
      "limits store: rediss://counts.example",
    ]);
  });

  test("an authority of one's own that is gone is told", () => {
    assert.deepEqual(told(withService({ store: { caFile: "own.pem" } }), withService({ store: {} })), [
      'limits store authority: no longer {"ownAuthority":true}',
    ]);
  });
});

suite("What is narrower, or differs between hosts, is not told", () => {
  test("fewer hosts than were shared among, as long as none is left out", () => {
    assert.deepEqual(
      told(withService({ store: { instances: 2 } }), withService({ store: { instances: 3 } })),
      [],
    );
  });

  test("a witness of a vault that nobody needs any more", () => {
    const witnessed = withService({ vault: { witness: { file: "seen" } } });
    assert.deepEqual(told(witnessed, read({}, { secrets: {} })), []);
  });

  test("where the log's witness is, and that one remembers it", () => {
    const witnessed = (file: string): Contract => read({}, { ledger: { witness: { file } } });
    assert.deepEqual(told(witnessed("seen"), witnessed("elsewhere")), []);
    assert.deepEqual(told(read({}), witnessed("seen")), []);
  });

  test("a function's settings, in the digest neither; its limits are", async () => {
    const of = (list: Members): Promise<string> => contractDigest(withService({ fns: { list } }));
    assert.equal(await of({ settings: { courier: "https://a.example" } }), await of({ settings: {} }));
    assert.notEqual(await of({ timeoutMs: 20_000 }), await of({}));
  });
});
