import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContractRoute } from "../../contract/index.ts";
import { createCommands } from "../commands.ts";
import type { Check } from "../check.ts";
import type { AuditContext } from "../context.ts";
import { runUnits } from "./engine.ts";
import type { AttackProgress } from "./engine.ts";
import type { AttackKind } from "./kinds.ts";
import type { Unit } from "./units.ts";

const writing = { key: "POST /api/orders", method: "POST" } as ContractRoute;
const routes = [writing];
const contract = { routes } as unknown as AuditContext["contract"];
const context = {
  contract,
  target: new URL("https://localhost:1"),
  isLoopback: true,
  unreachable: undefined,
  commands: createCommands({ folder: ".", address: undefined, environment: [], start: undefined }),
  plan: {},
  caller: {},
  wire: {},
  now: () => 0,
} as unknown as AuditContext;

const never = new Promise<never>(() => undefined);
const unit = (kind: AttackKind, ...checks: Check[]): Unit => ({
  kind,
  route: undefined,
  checks: checks.map((check) => ({
    row: "API-1",
    check: { ...check, attack: { kind, promise: "body", per: "site" } },
  })) as Unit["checks"],
});
const check = (name: string, run: Check["run"], more: Partial<Check> = {}): Check => ({
  name,
  kind: "live",
  run,
  ...more,
});

test("others write while what is left of an attack looks; who looks once more comes when all of it ended", async () => {
  const order: string[] = [];
  const { promise: written, resolve: write } = Promise.withResolvers<void>();
  const note = (what: string): number => order.push(what);
  const units = [
    unit(
      "content",
      check("plants, then looks", async (_, tally) => {
        note("planted");
        return async () => {
          await written;
          note("looked");
          tally.pass({ kind: "measurement", about: "it", value: 1 });
        };
      }),
    ),
    unit(
      "sequences",
      check("writes", async () => {
        note("wrote");
        write();
      }),
      check("looks once more", async () => void note("looked once more"), { isLast: true }),
    ),
  ];
  const { units: results } = await runUnits({ context, units, over: never, onProgress: () => undefined });
  assert.deepEqual(order, ["planted", "wrote", "looked", "looked once more"]);
  assert.deepEqual(
    results.map(({ kind, attacks, attempts }) => [kind, attacks, attempts]),
    [
      ["content", 1, 1],
      ["sequences", 2, 0],
    ],
  );
});

test("progress names what broke, apart from what is attacked by then, and counts the attempts that got through", async () => {
  const units = [
    unit(
      "access",
      check("lets four in", async (_, tally) => {
        for (const value of [1, 2, 3, 4]) tally.fail({ kind: "measurement", about: "it", value });
      }),
    ),
    unit(
      "cors",
      check("holds", async (_, tally) => tally.pass({ kind: "measurement", about: "it", value: 1 })),
    ),
  ];
  const told: AttackProgress[] = [];
  await runUnits({ context, units, over: never, onProgress: (progress) => told.push(progress) });
  const [first, second] = told;
  assert.deepEqual([first?.kind, first?.gotThrough, first?.broken], ["access", 0, []]);
  assert.deepEqual(
    [second?.kind, second?.gotThrough, second?.broken],
    ["cors", 4, [{ kind: "access", route: undefined }]],
  );
});
