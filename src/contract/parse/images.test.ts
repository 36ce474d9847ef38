import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import type { ContractImages } from "../contract/site.ts";
import { defineStack } from "../define.ts";
import { parseContract } from "../parse.ts";

function parse(images: unknown): ContractImages | undefined {
  const contract = parseContract(
    defineStack({
      origin: "https://www.site.example",
      site: {
        content: "content",
        templates: "templates",
        collections: { pages: z.object({}) },
        images: images as false,
      },
    }),
  );
  assert.ok(contract.site !== undefined && !("dist" in contract.site));
  return contract.site.images;
}

test("Photographs are offered in three widths and two formats, unless the contract says otherwise", () => {
  const defaults = { widths: [480, 960, 1600], formats: ["avif", "webp"], sizes: undefined };
  assert.deepEqual(parse(undefined), defaults);
  assert.deepEqual(parse({}), defaults);
  assert.equal(parse(false), undefined);
  assert.deepEqual(
    parse({
      widths: [800, 200, 800],
      formats: ["webp"],
      sizes: "(min-width: 60rem) calc(50vw - 2em), 100vw",
    }),
    {
      widths: [200, 800],
      formats: ["webp"],
      sizes: "(min-width: 60rem) calc(50vw - 2em), 100vw",
    },
  );
});

for (const [what, images, problem] of [
  ["no object", true, /site\.images must be an object/],
  ["an unknown option", { width: [1] }, /no option "width"/],
  ["no widths", { widths: [] }, /images\.widths/],
  ["a width of nothing", { widths: [0] }, /images\.widths/],
  ["a width that fills memory", { widths: [100_000] }, /images\.widths/],
  ["too many widths", { widths: Array.from({ length: 9 }, (_, at) => 100 + at) }, /images\.widths/],
  ["a format that is none", { formats: ["jpeg"] }, /images\.formats/],
  ["sizes that would end the attribute", { sizes: '100vw" onerror="alert(1)' }, /images\.sizes/],
] as const) {
  test(`site.images with ${what} is refused`, () => {
    assert.throws(() => parse(images), problem);
  });
}
