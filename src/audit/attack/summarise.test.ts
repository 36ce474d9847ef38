import assert from "node:assert/strict";
import { test } from "node:test";
import { nothingSeen } from "../check.ts";
import { kinds } from "./kinds.ts";
import type { AttackUnit } from "./report.ts";
import { attackSummary, kindReports } from "./summarise.ts";

/** A unit in which so many attacks were idle, and no other was there. */
const idleUnit = (kind: AttackUnit["kind"], route: string, ...because: readonly string[]): AttackUnit => ({
  kind,
  route,
  state: "not applicable",
  attacks: because.length,
  held: 0,
  broken: 0,
  notMade: 0,
  idle: because.length,
  attempts: 0,
  gotThrough: 0,
  durationMs: 1,
  reasons: [...because],
  idleBecause: because.map((reason) => ({ check: "a check", reason })),
});

test("a kind that found nothing to attack anywhere has its row, whichever it is, and counts in the sum", () => {
  const units = kinds.map((kind) => idleUnit(kind, "GET /api/x", "everybody may call it"));
  const rows = kindReports(units);
  assert.deepEqual(
    rows.map(({ kind, attacks, idle, idleReasons }) => [kind, attacks, idle, idleReasons]),
    kinds.map((kind) => [kind, 1, 1, [{ reason: "everybody may call it", count: 1 }]]),
  );
  assert.deepEqual([attackSummary(units).attacks, attackSummary(units).idle], [kinds.length, kinds.length]);
});

test("a reason is one on many routes, and a check that only saw nothing is named", () => {
  const [row] = kindReports(
    ["GET /api/x", "GET /api/y"].map((route) =>
      idleUnit(
        "access",
        route,
        `${route} was answered with what was kept`,
        `${route}: a stream`,
        nothingSeen,
      ),
    ),
  );
  assert.deepEqual(row?.idleReasons, [
    { reason: "the route was answered with what was kept", count: 2 },
    { reason: "a stream", count: 2 },
    { reason: '"a check" found nothing to look at', count: 2 },
  ]);
});

test("what was said of one route alone names it", () => {
  const [row] = kindReports([
    idleUnit(
      "limits",
      "GET /api/x",
      "GET /api/x (240/min per client): too slow to see it end",
      "GET /api/x: a stream",
    ),
    idleUnit("limits", "GET /api/y", "GET /api/y: a stream"),
  ]);
  assert.deepEqual(row?.idleReasons, [
    { reason: "a stream", count: 2 },
    { reason: "GET /api/x (240/min per client): too slow to see it end", count: 1 },
  ]);
});
