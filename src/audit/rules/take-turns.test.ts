import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { Tally } from "../check.ts";
import { startSite } from "../fixtures/site.ts";
import { openContext } from "../node/open-context.ts";
import { honestCalls } from "../requests/inputs.ts";
import { honestCall, takeTurns } from "./shared.ts";

test("whoever asked least of a route asks next, in this check and in the next one", async (t) => {
  const { contract, release, target, ca, plan, close: closeSite } = await startSite();
  t.after(closeSite);
  const { context, close } = await openContext({ contract, plan, release, target, ca, root: tmpdir() });
  t.after(close);
  const route = contract.routes.find((one) => honestCalls(context, one).length > 1);
  assert.ok(route !== undefined);
  const users = honestCalls(context, route).map(({ as }) => as);
  const tally = new Tally();
  const asked: (string | undefined)[] = [];
  const ask = async (): Promise<void> => {
    const call = honestCall(context, route, tally);
    assert.ok(call !== undefined);
    asked.push(call.as);
    const { as, input } = call;
    await context.caller.call({ route, as, input });
  };
  for (const _ of users) await ask();
  assert.deepEqual(new Set(asked), new Set(users));

  // Somebody was asked for by name, as checks about ownership do.
  const [first, ...others] = users;
  const [{ input } = { input: {} }] = honestCalls(context, route);
  for (let count = 0; count < 3; count++) await context.caller.call({ route, as: first, input });
  const next = takeTurns(context, route, tally);
  for (const _ of [1, 2, 3]) {
    const call = next?.();
    assert.ok(call !== undefined && others.includes(call.as), `${call?.as} asked`);
    await context.caller.call({ route, as: call.as, input: call.input });
  }
});
