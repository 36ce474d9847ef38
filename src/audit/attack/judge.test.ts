import assert from "node:assert/strict";
import { test } from "node:test";
import { defineStack, everyone, none, parseContract, upstream } from "../../contract/index.ts";
import { nothingSeen } from "../check.ts";
import type { Attempt } from "../check.ts";
import { noPlan } from "../plan/no-plan.ts";
import { judge } from "./judge.ts";
import type { AttackCheck } from "./units.ts";

const [route] = parseContract(
  defineStack({
    origin: "https://localhost:8443",
    upstreams: { shop: upstream({ url: "https://shop.internal" }) },
    routes: { "GET /api/x": { access: everyone, limit: "9/min per client", response: none, to: "shop" } },
  }),
).routes;

const made = (
  state: Attempt["result"]["state"],
  more: { readonly reason?: string; readonly isControl?: boolean; readonly broken?: number } = {},
): readonly [AttackCheck, Attempt] => {
  const { reason, isControl = false, broken = 0 } = more;
  const check: AttackCheck["check"] = {
    name: "a check",
    kind: "live",
    isActive: true,
    attack: { kind: "access", per: "route", promise: "access", ...(isControl ? { isControl } : {}) },
    run: () => Promise.resolve(),
  };
  const result: Attempt["result"] = {
    name: "a check",
    kind: "live",
    reproduce: "npx curtainwall attack",
    state,
    observations: state === "missing" ? 0 : 2,
    evidence: [],
    ...(reason === undefined ? {} : { reason }),
  };
  return [
    { row: "API-1", check },
    { result, broken },
  ];
};

const judged = (...attempts: (readonly [AttackCheck, Attempt])[]): ReturnType<typeof judge> =>
  judge({ kind: "access", route }, attempts, undefined);

test("why there is nothing to attack is said by checks that say it, and by no check that passed", () => {
  const unit = judged(
    made("passed", { isControl: true }),
    made("not applicable", { reason: "everybody may call it" }),
    made("missing", { reason: nothingSeen }),
  );
  assert.deepEqual([unit.state, unit.reasons], ["not applicable", ["everybody may call it", nothingSeen]]);
});

test("what was not made stays that, beside what held; what got through is broken, beside both", () => {
  const missing = made("missing", { reason: "the plan has no token" });
  assert.deepEqual(
    [judged(made("passed"), missing).state, judged(made("passed"), missing).reasons],
    ["not made", ["the plan has no token"]],
  );
  assert.equal(judged(made("passed"), missing, made("failed", { broken: 1 })).state, "broken");
  assert.equal(judged(made("passed")).state, "held");
});

test("without a plan that is all that is said, whatever follows from it", () => {
  const [one, other] = ["ownership takes two identities", "GET /api/x: there is no sample"].map((more) =>
    made("missing", { reason: `${noPlan}; ${more}` }),
  );
  const honest = made("missing", { reason: noPlan, isControl: true });
  for (const attempts of [
    [one, other],
    [honest, made("passed")],
  ])
    assert.deepEqual(judged(...attempts.filter((each) => each !== undefined)).reasons, [noPlan]);
});

test("where who is honest is not served, refusals hold nothing", () => {
  const unit = judged(made("failed", { isControl: true, reason: "it is 404" }), made("passed"));
  assert.deepEqual([unit.state, unit.held, unit.notMade], ["not made", 0, 1]);
});

test("where a route serves nobody that is the one reason, whatever each check says of it", () => {
  const unserved = "GET /api/x: an honest request was answered 500";
  const attempts = ["the honest request was answered 500", "nobody gets the canary"].map((reason) =>
    made("missing", { reason }),
  );
  const unit = judge({ kind: "access", route }, [...attempts, made("passed")], unserved);
  assert.deepEqual([unit.notMade, unit.reasons], [3, [unserved]]);
});

test("each attack counts once, whatever its check ended as, and honest requests count as none", () => {
  const unit = judged(
    made("passed", { isControl: true }),
    made("passed"),
    made("failed", { broken: 1 }),
    made("missing", { reason: "the plan has no token" }),
    made("missing", { reason: nothingSeen }),
    made("not applicable", { reason: "everybody may call it" }),
  );
  const { attacks, held, broken, notMade, idle, attempts, gotThrough } = unit;
  assert.deepEqual([attacks, held, broken, notMade, idle], [5, 1, 1, 1, 2]);
  assert.deepEqual([attempts, gotThrough], [4, 1]);
  assert.deepEqual(
    unit.idleBecause.map(({ reason }) => reason),
    [nothingSeen, "everybody may call it"],
  );
});
