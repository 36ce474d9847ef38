import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { defineStack, everyone, none, parseContract, upstream } from "../../../contract/index.ts";
import type { ContractRoute, Schema } from "../../../contract/index.ts";
import { wrongGuesses } from "./wrong-guesses.ts";
import type { WrongGuess } from "./wrong-guesses.ts";

function routeWith(body: Schema): ContractRoute {
  const contract = parseContract(
    defineStack({
      origin: "https://localhost:8443",
      upstreams: { shop: upstream({ url: "https://shop.test" }) },
      routes: {
        "POST /api/vouchers": {
          access: everyone,
          limit: "9/min per client",
          failures: "5/15min per client",
          body,
          response: none,
          to: "shop",
        },
      },
    }),
  );
  return contract.routes[0] as ContractRoute;
}

const codes = z.object({ code: z.string().regex(/^[A-Z-]+$/), kind: z.enum(["bread", "cake"]) });
const bodyOf = ({ call }: WrongGuess): unknown =>
  call.rawBody === undefined ? call.input.body : JSON.parse(String(call.rawBody));

test("no two guesses are alike, and the contract takes each of them", () => {
  const guesses = wrongGuesses(routeWith(codes), { body: { code: "FREE-BREAD", kind: "bread" } });
  const bodies = Array.from({ length: 60 }, () => bodyOf(guesses.next()));
  assert.deepEqual(bodies[0], { code: "FREE-BREAD", kind: "bread" });
  assert.equal(new Set(bodies.map((body) => JSON.stringify(body))).size, 60);
  for (const body of bodies) assert.ok(codes.safeParse(body).success);
  assert.equal(guesses.repeats(), false);
});

test("a plan that makes another guess each time is taken at its word", () => {
  let count = 0;
  const guesses = wrongGuesses(routeWith(z.object({ pin: z.int() })), { body: () => ({ pin: count++ }) });
  assert.deepEqual(
    [1, 2, 3].map(() => bodyOf(guesses.next())),
    [{ pin: 0 }, { pin: 1 }, { pin: 2 }],
  );
  assert.equal(guesses.repeats(), false);
});

test("where nothing can be made another, that is told", () => {
  const guesses = wrongGuesses(routeWith(z.object({ pin: z.int() })), { body: { pin: 1 } });
  guesses.next();
  assert.equal(guesses.repeats(), false);
  assert.deepEqual(bodyOf(guesses.next()), { pin: 1 });
  assert.equal(guesses.repeats(), true);
});

test("what is no failure when it is bent is bent no more; what the plan says itself is not bent", () => {
  const login = z.object({ name: z.string(), password: z.string() });
  const guesses = wrongGuesses(routeWith(login), { body: { name: "audit", password: "wrong" } });
  assert.equal(guesses.isUseless(guesses.next()), false);
  for (let left = 20; left > 0; left--) {
    const guess = guesses.next();
    if (guess.bent === "body /name") assert.equal(guesses.isUseless(guess), true);
  }
  const later = Array.from({ length: 20 }, () => guesses.next());
  assert.deepEqual(new Set(later.map(({ bent }) => bent)), new Set(["body /password"]));
});
