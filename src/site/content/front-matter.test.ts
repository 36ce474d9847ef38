import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { parseFrontMatter } from "./front-matter.ts";

const schema = z.strictObject({
  title: z.string(),
  tags: z.array(z.string()).optional(),
  nested: z.strictObject({ count: z.int() }).optional(),
});

const refusal = async (text: string): Promise<{ code: string; message: string }> => {
  try {
    await parseFrontMatter("content/pages/a.md", text, schema);
  } catch (error) {
    return error as { code: string; message: string };
  }
  return assert.fail("it was accepted");
};

test("front matter is read, and the body begins after it", async () => {
  const { data, body, bodyLine } = await parseFrontMatter(
    "a.md",
    "---\ntitle: Rye\ntags: [a, b]\n---\nText\n",
    schema,
  );
  assert.deepEqual(data, { title: "Rye", tags: ["a", "b"] });
  assert.equal(body, "Text\n");
  assert.equal(bodyLine, 5);
});

test("Windows line ends and a byte order mark are no problem", async () => {
  const { data, body } = await parseFrontMatter("a.md", "\uFEFF---\r\ntitle: Rye\r\n---\r\nText", schema);
  assert.deepEqual(data, { title: "Rye" });
  assert.equal(body, "Text");
});

test("a date stays the text that was written", async () => {
  assert.deepEqual((await parseFrontMatter("a.md", "---\ntitle: 2026-09-02\n---\n", schema)).data, {
    title: "2026-09-02",
  });
});

test("a field of the wrong type is named with its file and line", async () => {
  const { code, message } = await refusal("---\ntags: [x]\ntitle:\n  - 1\n---\n");
  assert.equal(code, "SITE_FRONT_MATTER_INVALID");
  assert.match(message, /^content\/pages\/a\.md:3: title: /);
});

test("a nested field is named with its path and its own line", async () => {
  assert.match(
    (await refusal("---\ntitle: a\nnested:\n  count: many\n---\n")).message,
    /a\.md:4: nested\.count: /,
  );
});

test("a field that the schema does not declare is refused where it stands", async () => {
  assert.match(
    (await refusal("---\ntitle: a\nshape: round\n---\n")).message,
    /^content\/pages\/a\.md:3: shape: .*shape/,
  );
});

test("a prototype key is refused like any other undeclared field", async () => {
  assert.match((await refusal("---\ntitle: a\n__proto__: { polluted: yes }\n---\n")).message, /a\.md:3: /);
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
});

test("all problems of a file are told together", async () => {
  const { message } = await refusal("---\ntitle: 1\nshape: 2\n---\n");
  assert.match(message, /a\.md:2: title/);
  assert.match(message, /a\.md:3: shape/);
});

test("a text with a colon in its first line, or with rules in it, is not taken for front matter", async () => {
  for (const text of [
    "Note: this is text.\n\nMore.\n",
    "Bread\n\n---\n\nand butter\n",
    "---\n---\nNote: text\n---\n",
  ])
    assert.equal(
      (await parseFrontMatter("a.md", text, z.object({}))).body.endsWith(text.slice(-5)),
      true,
      text,
    );
});

for (const [what, text, line] of [
  ["broken YAML", "---\ntitle: a\ntags: [a\n---\n", /a\.md:[34]: /],
  ["a key that is there twice", "---\ntitle: a\ntitle: b\n---\n", /a\.md:3: /],
  ["a tag that names a type", "---\ntitle: !!js/function 'x'\n---\n", /a\.md:2: /],
  ["an alias, of which bombs are made", "---\ntitle: &a x\ntags: [*a, *a]\n---\n", /a\.md:2: /],
  ["a list instead of fields", "---\n- a\n---\n", /a\.md:2: /],
  ["a front matter that never ends", "---\ntitle: a\n", /a\.md:1: /],
  [
    "no front matter where a field is required",
    "Just text\n",
    /a\.md:1: the file has no front matter .*title/,
  ],
  [
    "a front matter without its opening line",
    "title: a\ntags: [b]\n---\nText\n",
    /a\.md:1: front matter begins with/,
  ],
  [
    "a front matter that does not begin the file",
    "\n---\ntitle: a\n---\nText\n",
    /a\.md:2: front matter begins with/,
  ],
  ["a front matter of a megabyte", `---\ntitle: ${"a".repeat(1_000_000)}\n---\n`, /a\.md:1: .*longer/],
] as const) {
  test(`${what} is refused with file and line`, async () => {
    const { code, message } = await refusal(text);
    assert.equal(code, "SITE_FRONT_MATTER_INVALID");
    assert.match(message, line);
  });
}
