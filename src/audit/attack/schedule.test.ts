import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ContractRoute } from "../../contract/index.ts";
import { kinds } from "./kinds.ts";
import { schedule } from "./schedule.ts";
import type { Unit } from "./units.ts";

const route = (method: string, index: number): ContractRoute =>
  ({ key: `${method} /api/${index}`, method }) as unknown as ContractRoute;

const anyUnits = fc
  .uniqueArray(
    fc.record({
      kind: fc.constantFrom(...kinds),
      route: fc.option(fc.tuple(fc.constantFrom("GET", "POST"), fc.nat(4)), { nil: undefined }),
    }),
    { maxLength: 40, selector: ({ kind, route: on }) => `${kind} ${on?.join(" ")}` },
  )
  .map((list) => {
    const routes = new Map<string, ContractRoute>();
    return list.map(({ kind, route: on }): Unit => {
      if (on === undefined) return { kind, route: undefined, checks: [] };
      const key = on.join(" ");
      const found = routes.get(key) ?? route(...on);
      routes.set(key, found);
      return { kind, route: found, checks: [] };
    });
  });

test("every unit runs once; no two of one route at once, nor two that write; a route's limits come last", async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), anyUnits, async (order, units) => {
      const running = new Set<Unit>();
      const ended: Unit[] = [];
      let time = 0;
      const run = async (unit: Unit): Promise<void> => {
        running.add(unit);
        const onRoutes = [...running].filter((other) => other.route !== undefined);
        assert.equal(new Set(onRoutes.map((other) => other.route)).size, onRoutes.length);
        assert.ok(onRoutes.filter((other) => other.route?.method === "POST").length <= 1);
        if (unit.kind === "limits" && unit.route !== undefined)
          assert.ok(
            units.every(
              (other) => other.route !== unit.route || other.kind === "limits" || ended.includes(other),
            ),
          );
        await order.schedule(Promise.resolve());
        running.delete(unit);
        ended.push(unit);
      };
      const done = schedule(units, { run, isOver: () => false, now: () => time++ });
      await order.waitFor(done);
      assert.equal(ended.length, units.length);
      assert.equal(new Set(ended).size, units.length);
    }),
    { numRuns: 60 },
  );
});

test("of many routes each kind gets its turn before any kind is through", async () => {
  const routes = Array.from({ length: 50 }, (_, index) => route("GET", index));
  const units = (["access", "input", "cors"] as const).flatMap((kind) =>
    routes.map((on): Unit => ({ kind, route: on, checks: [] })),
  );
  const begun: string[] = [];
  let time = 0;
  await schedule(units, {
    run: async ({ kind }) => {
      begun.push(kind);
      time += 10;
      await Promise.resolve();
    },
    isOver: () => begun.length >= 60,
    now: () => time,
  });
  for (const kind of ["access", "input", "cors"])
    assert.ok(begun.filter((name) => name === kind).length >= 10, begun.join(" "));
});
