import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { freePorts } from "../tools/mutate/free-ports.ts";
import { repository } from "./support/bakery.ts";

test(
  "a hostile function gets neither the key nor out, in either runner, and takes nobody down with it",
  { timeout: 600_000 },
  async () => {
    const [port, courier, bystander] = await freePorts(3);
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(repository, "examples/hostile-function/run.ts")],
      {
        encoding: "utf8",
        env: {
          ...process.env,
          NODE_OPTIONS: "",
          HOSTILE_PORT: String(port),
          HOSTILE_COURIER_PORT: String(courier),
          HOSTILE_BYSTANDER_PORT: String(bystander),
        },
      },
    );
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /All blocked\./);
    const count = (word: string): number =>
      stdout.split("\n").filter((line) => line.includes(`✔ ${word}`)).length;
    assert.ok(count("blocked") > 85, stdout);
    assert.ok(count("blocked") + count("as meant") + count("unharmed") > 155, stdout);
    if (process.getuid?.() === 0) assert.match(stdout, /the key is in egress, which uses it/);
  },
);
