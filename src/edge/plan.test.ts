import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeRelease, encodeRelease } from "../contract/index.ts";
import type { ReleaseInput } from "../contract/index.ts";
import { planRelease } from "./plan.ts";

const file = (path: string): ReleaseInput => ({
  path,
  headers: [["content-type", "text/plain"]],
  bytes: { identity: new TextEncoder().encode(path) },
});

test("A thread keeps the answers of the files that were asked for last, and puts the others together again", async () => {
  const paths = Array.from({ length: 4200 }, (_, index) => `/${index}.txt`);
  const plan = planRelease(await decodeRelease(await encodeRelease(paths.map(file))), (bytes) => bytes);
  const planned = paths.map((path) => plan.byTarget.get(path) ?? assert.fail(path));
  const readyCount = (): number => planned.filter(({ ready }) => ready !== undefined).length;
  assert.equal(readyCount(), 0);
  const bodyOf = (index: number): string => {
    const wanted = planned[index] ?? assert.fail();
    const { variants } = wanted.ready ?? plan.prepare(wanted);
    return new TextDecoder().decode(variants[0]?.ok.body);
  };
  for (const index of paths.keys()) assert.equal(bodyOf(index), paths[index]);
  assert.equal(readyCount(), 4096);
  assert.equal(planned[0]?.ready, undefined);
  assert.equal(bodyOf(0), paths[0]);
  assert.equal(bodyOf(4199), paths[4199]);
  assert.equal(readyCount(), 4096);
});
