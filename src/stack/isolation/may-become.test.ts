import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { suite, test } from "node:test";
import { ownRights, surelyBecomes } from "./may-become.ts";
import type { ProcessRights } from "./may-become.ts";

const all: ProcessRights = {
  status: "Name:\tnode\nCapEff:\t000001ffffffffff\nNoNewPrivs:\t0\nSeccomp:\t0\n",
  uidMap: "         0          0 4294967295\n",
  gidMap: "         0          0 4294967295\n",
  setgroups: "allow\n",
};

suite("whether another user can surely be become", () => {
  test("yes with both capabilities, whole maps, and no filter", () => {
    assert.equal(surelyBecomes(60_514, all), true);
  });

  test("no answer without a capability, with a filter, outside a map, or where groups must stay", () => {
    const without = (bit: bigint): string =>
      all.status.replace(
        /CapEff:.*/,
        `CapEff:\t${(0x1ffffffffffn & ~(1n << bit)).toString(16).padStart(16, "0")}`,
      );
    const narrow = "         0     100000      65536\n";
    const cases: [string, Partial<ProcessRights>][] = [
      ["no CAP_SETGID", { status: without(6n) }],
      ["no CAP_SETUID", { status: without(7n) }],
      ["a filter", { status: all.status.replace("Seccomp:\t0", "Seccomp:\t2") }],
      ["nothing said", { status: "" }],
      ["groups must stay", { setgroups: "deny\n" }],
      ["no map", { uidMap: "" }],
      ["a map of one", { gidMap: "0 1000 1\n" }],
    ];
    for (const [what, part] of cases) assert.equal(surelyBecomes(60_514, { ...all, ...part }), false, what);
    assert.equal(surelyBecomes(60_514, { ...all, uidMap: narrow, gidMap: narrow }), true);
    assert.equal(surelyBecomes(65_536, { ...all, uidMap: narrow, gidMap: narrow }), false);
  });

  test("whoever surely can, can", () => {
    const rights = ownRights();
    if (rights === undefined || !surelyBecomes(60_514, rights)) return;
    const code =
      "process.setgroups([]);process.setgid(60514);process.setuid(60514);console.log(process.getuid())";
    assert.equal(spawnSync(process.execPath, ["-e", code], { encoding: "utf8" }).stdout, "60514\n");
  });
});
