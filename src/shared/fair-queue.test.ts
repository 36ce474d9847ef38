import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createFairQueue } from "./fair-queue.ts";
import type { FairQueue, Waiting } from "./fair-queue.ts";

function recorder() {
  const sentAway: string[] = [];
  const waiting = (name: string): Waiting & { name: string } => ({
    name,
    pass: () => undefined,
    leave: () => sentAway.push(name),
  });
  return { sentAway, waiting };
}
const nameOf = (waiting: Waiting | undefined): string | undefined =>
  (waiting as { name: string } | undefined)?.name;

function takeAll(queue: FairQueue, line: string): (string | undefined)[] {
  const names: (string | undefined)[] = [];
  while (queue.has(line)) names.push(nameOf(queue.next(line)));
  return names;
}

test("clients take turns, each in the order in which it came", () => {
  const { waiting } = recorder();
  const queue = createFairQueue(10);
  for (const name of ["a1", "a2", "a3", "b1", "c1", "c2"]) queue.add("line", name.slice(0, 1), waiting(name));
  assert.deepEqual(takeAll(queue, "line"), ["a1", "b1", "c1", "a2", "c2", "a3"]);
  assert.equal(queue.size, 0);
});

test("one that floods a full queue loses places of its own, and others still find one", () => {
  const { waiting, sentAway } = recorder();
  const queue = createFairQueue(4);
  for (const name of ["a1", "a2", "a3", "a4"]) assert.ok(queue.add("line", "a", waiting(name)));
  assert.equal(queue.add("line", "a", waiting("a5")), undefined);
  assert.ok(queue.add("line", "b", waiting("b1")));
  assert.ok(queue.add("other", "c", waiting("c1")));
  assert.deepEqual(sentAway, ["a1", "a2"]);
  // Equal shares: who comes now has no better right than they.
  assert.ok(queue.add("line", "b", waiting("b2")) === undefined);
  assert.deepEqual(takeAll(queue, "line"), ["a3", "b1", "a4"]);
  assert.deepEqual(takeAll(queue, "other"), ["c1"]);
});

test("who leaves is never let pass, and leaves once", () => {
  const { waiting } = recorder();
  const queue = createFairQueue(4);
  const leave = queue.add("line", "a", waiting("a1"));
  queue.add("line", "a", waiting("a2"));
  assert.equal(leave?.(), true);
  assert.equal(leave?.(), false);
  assert.deepEqual(takeAll(queue, "line"), ["a2"]);
});

test("it behaves as a plain model of lists does, whatever is done to it", () => {
  const step = fc.record({
    act: fc.constantFrom("add", "add", "add", "next", "leave"),
    line: fc.constantFrom("x", "y"),
    client: fc.constantFrom("a", "b", "c"),
    pick: fc.nat(20),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), fc.integer({ min: 1, max: 6 }), (steps, capacity) => {
      const { waiting, sentAway } = recorder();
      const queue = createFairQueue(capacity);
      let model: { name: string; flow: string; line: string }[] = [];
      const turns: string[] = [];
      const leaves = new Map<string, () => boolean>();
      for (const [index, { act, line, client, pick }] of steps.entries()) {
        const flow = `${line}${client}`;
        const sizeOf = (of: string): number => model.filter((one) => one.flow === of).length;
        if (act === "add") {
          const name = `${flow}${index}`;
          const most = Math.max(0, ...model.map((one) => sizeOf(one.flow)));
          const isFull = model.length >= capacity;
          const before = sentAway.length;
          const leave = queue.add(line, client, waiting(name));
          assert.equal(leave !== undefined, !isFull || sizeOf(flow) + 1 < most);
          const [gone] = sentAway.slice(before);
          if (gone !== undefined) {
            const victim = model.find((one) => one.name === gone)?.flow ?? "";
            assert.equal(sizeOf(victim), most);
            assert.equal(model.find((one) => one.flow === victim)?.name, gone);
            model = model.filter((one) => one.name !== gone);
            if (sizeOf(victim) === 0) turns.splice(turns.indexOf(victim), 1);
          }
          if (leave === undefined) continue;
          leaves.set(name, leave);
          model.push({ name, flow, line });
          if (!turns.includes(flow)) turns.push(flow);
        } else if (act === "next") {
          const turn = turns.find((one) => one.startsWith(line));
          const expected = model.find((one) => one.flow === turn);
          assert.equal(nameOf(queue.next(line)), expected?.name);
          if (turn === undefined || expected === undefined) continue;
          model = model.filter((one) => one !== expected);
          turns.splice(turns.indexOf(turn), 1);
          if (sizeOf(turn) > 0) turns.push(turn);
        } else {
          const victim = model[pick % Math.max(1, model.length)];
          if (victim === undefined) continue;
          assert.equal(leaves.get(victim.name)?.(), true);
          model = model.filter((one) => one !== victim);
          if (sizeOf(victim.flow) === 0) turns.splice(turns.indexOf(victim.flow), 1);
        }
        assert.equal(queue.size, model.length);
      }
    }),
  );
});
