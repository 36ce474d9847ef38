// docs/functions.md: its contract, its function and its form, which name one another.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { compile } from "./compile.ts";

const page = readFileSync(new URL("../docs/functions.md", import.meta.url), "utf8");
const blocks = [...page.matchAll(/^```(?:ts|text)\n([^]*?)^```$/gm)].map(([, text = ""]) => text);

function blockWith(words: string): string {
  const found = blocks.find((text) => text.includes(words));
  assert.ok(found !== undefined, words);
  return found;
}

test("the contract, the function and the form of docs/functions.md type-check together", () => {
  const errors = compile({
    "curtainwall.config.ts": blockWith("defineStack("),
    "functions/contact.ts": blockWith("defineFunction<"),
    "templates/ContactForm.island.tsx": blockWith('island("ContactForm"'),
  });
  assert.deepEqual(errors, []);
});
