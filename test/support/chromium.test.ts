import assert from "node:assert/strict";
import { test } from "node:test";
import { chromium } from "playwright-core";
import { requires } from "../requires.ts";
import { chromiumFlags } from "./chromium.ts";

const { skip, path: executablePath } = requires("chromium");

test("what playwright-core turns off in Chromium stays off", { skip }, async () => {
  const server = await chromium.launchServer({ executablePath, args: [...chromiumFlags] });
  const option = "--disable-features=";
  const lists = server
    .process()
    .spawnargs.filter((word) => word.startsWith(option))
    .map((word) => word.slice(option.length).split(","));
  await server.close();
  assert.equal(lists.length, 2);
  const last = new Set(lists[1]);
  assert.deepEqual(
    lists[0]?.filter((feature) => !last.has(feature)),
    [],
  );
});
