import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { isEmail, isEmailPattern } from "./email-form.ts";

const nearlyEmail = fc
  .array(
    fc.constantFrom("a", "Z", "7", ".", "..", "@", "'", "+", "-", "_", "co", "\n", " ", "ä", "İ", "{", "\0"),
    {
      maxLength: 12,
    },
  )
  .map((parts) => parts.join(""));

test("an address is one exactly when Zod's own pattern has it so", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        nearlyEmail,
        fc.tuple(nearlyEmail, nearlyEmail).map(([name, host]) => `${name}@${host}`),
        fc.tuple(nearlyEmail, nearlyEmail).map(([name, host]) => `${name}@${host}.example`),
        fc.emailAddress(),
        fc.string({ unit: "binary" }),
      ),
      (text) => assert.equal(isEmail(text), z.regexes.email.test(text), JSON.stringify(text)),
    ),
    { numRuns: 5000 },
  );
});

test("ordinary addresses pass, and what merely looks like one does not", () => {
  for (const text of ["ada@baker.example", "o'neill.a+b@x-1.y2.co", "A_b-c@1.ab", "-@a.bc"])
    assert.ok(isEmail(text), text);
  for (const text of [
    "ada",
    "@a.bc",
    "a@",
    "a@b",
    "a@b.c",
    "a@b.c1",
    "a@-b.cd",
    "a@b..cd",
    ".a@b.cd",
    "a.@b.cd",
    "a'@b.cd",
    "a@b.cd\n",
  ])
    assert.ok(!isEmail(text), text);
});

test("it stands in for Zod's own pattern and no other", () => {
  const { pattern } = (z.email() as unknown as { _zod: { def: { pattern: RegExp } } })._zod.def;
  assert.ok(isEmailPattern(pattern));
  assert.ok(!isEmailPattern(/^.+@.+$/));
  assert.ok(!isEmailPattern(z.regexes.html5Email));
});
