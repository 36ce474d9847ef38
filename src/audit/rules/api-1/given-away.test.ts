import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { z } from "zod";
import { defineStack, parseContract, signedIn, upstream } from "../../../contract/index.ts";
import type { Schema } from "../../../contract/index.ts";
import type { Check } from "../../check.ts";
import type { Fault } from "../../fixtures/faults.ts";
import { checkSite } from "../../fixtures/run-check.ts";
import { startExchangeSite, startSite } from "../../fixtures/site.ts";
import { collect, toResponse } from "../../node/response.ts";
import type { Exchange } from "../../probes/probe.ts";
import { foreignTenant, lackingScope } from "./conditions.ts";
import { givesAway } from "./given-away.ts";
import { keyAndToken, keyInAddress, keyOpensNoMore, keysRefused } from "./keys.ts";
import { nearIds } from "./near-ids.ts";
import { nearNames } from "./near-names.ts";
import { canaryObjects, lowerRole, othersRefused } from "./ownership.ts";
import { revokedToken } from "./revoked.ts";
import { sequences } from "./sequences.ts";
import { otherSpellings } from "./spellings.ts";
import { issuedWrongly } from "./token-claims.ts";
import { misleadingHeaders } from "./token-headers.ts";
import { tokenPlaces } from "./token-places.ts";
import {
  algNone,
  expired,
  forgedKey,
  noToken,
  tamperedSignature,
  wrongAudience,
  wrongIssuer,
} from "./tokens.ts";
import { noWayAround } from "./undeclared.ts";

// A site that refuses by its status, and then says what it refuses: whoever forgets to return has one.

const inShop = [
  noToken,
  expired,
  wrongAudience,
  wrongIssuer,
  forgedKey,
  algNone,
  tamperedSignature,
  misleadingHeaders,
  issuedWrongly,
  tokenPlaces,
  revokedToken,
  othersRefused,
  canaryObjects,
  otherSpellings,
  lowerRole,
  nearNames,
  sequences,
  noWayAround,
];
const inExchange = [lackingScope, foreignTenant, keysRefused, keyInAddress, keyAndToken, keyOpensNoMore];
const after403 = [othersRefused, lowerRole, nearNames, canaryObjects];

type Start = typeof startSite;
const scenes: [start: Start, fault: Fault, checks: Check[]][] = [
  [startSite, "goes on after it refused", inShop],
  [startExchangeSite, "goes on after it refused", inExchange],
  [startSite, "goes on after a 403", after403],
  [startExchangeSite, "goes on after a 403", [lackingScope, foreignTenant]],
];

describe("a refusal that says what it refuses is none", { concurrency: 2 }, () => {
  for (const [start, fault, checks] of scenes)
    for (const check of checks)
      test(`${check.name}: a site that ${fault}`, async () => {
        assert.equal((await checkSite(start(), check)).state, "passed");
        const found = await checkSite(start(fault), check);
        assert.equal(found.state, "failed");
        assert.match(
          found.evidence[0]?.about ?? "",
          /holds what only who is let in is told|canary|does not get what is/,
        );
      });

  test(`${nearIds.name}: a site that goes on after a 403`, async () => {
    const found = await checkSite(startSite("goes on after a 403", "lists everybody's"), nearIds);
    assert.equal(found.state, "failed");
    assert.match(found.evidence[0]?.about ?? "", /is refused \(403\), and told all the same/);
  });
});

function answered(status: number, text: string): Exchange {
  const collected = collect(1000, () => undefined);
  collected.add(new TextEncoder().encode(text));
  const response = toResponse({ protocol: "h2", status, headers: [], collected, startedAt: 0 });
  return { request: { method: "GET", path: "/api/bread" }, response };
}

function saysAnything(response: Schema, exchange: Exchange): boolean {
  const { routes } = parseContract(
    defineStack({
      origin: "https://www.test.example",
      identity: { issuer: "https://login.test.example", audience: "https://api.test.example" },
      upstreams: { shop: upstream({ url: "https://localhost:4000" }) },
      routes: {
        "GET /api/bread": {
          access: signedIn,
          limit: "60/min per client",
          response,
          errors: { 409: z.object({ held: z.string() }) },
          to: "shop",
        },
      },
    }),
  );
  const [route] = routes;
  assert.ok(route !== undefined);
  return givesAway(exchange, { canary: undefined, control: undefined, route });
}

test("an answer as it is declared for successes is one under any status, though it is another each time", () => {
  const bread = z.object({ bread: z.string(), at: z.iso.datetime() });
  const rye = '{"bread":"Rye","at":"2026-11-23T07:00:00Z"}';
  assert.ok(saysAnything(bread, answered(403, rye)));
  assert.ok(saysAnything(z.array(bread), answered(404, `[${rye}]`)));
  assert.ok(!saysAnything(bread, answered(403, '{"title":"Refused","status":403}')));
});

test("what refusals say too is no answer", () => {
  const plain = z.object({ message: z.string() });
  assert.ok(!saysAnything(plain, answered(403, '{"message":"Forbidden"}')));
  assert.ok(!saysAnything(z.object({ ok: z.boolean() }), answered(401, '{"ok":false}')));
  const wrapped = z.object({ data: z.string().nullable(), error: z.string().nullable() });
  assert.ok(!saysAnything(wrapped, answered(403, '{"data":null,"error":"not yours"}')));
  assert.ok(!saysAnything(z.object({ loaves: z.array(z.string()) }), answered(404, '{"loaves":[]}')));
  const held = z.object({ held: z.string() });
  assert.ok(!saysAnything(held, answered(409, '{"held":"by somebody"}')));
  assert.ok(saysAnything(held, answered(403, '{"held":"by somebody"}')));
});
