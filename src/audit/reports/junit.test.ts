import assert from "node:assert/strict";
import { test } from "node:test";
import { SaxesParser } from "saxes";
import { hostileReport, hostileText, sampleReport } from "../fixtures/report.ts";
import { toJunit } from "./junit.ts";

interface Element {
  name: string;
  attributes: Record<string, string>;
  text: string;
}

/** Reads it as a strict XML parser does, which throws at what is not well-formed. */
function elementsOf(xml: string): Element[] {
  const elements: Element[] = [];
  const open: Element[] = [];
  const parser = new SaxesParser();
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ name, attributes }) => {
    const element = { name, attributes: { ...attributes } as Record<string, string>, text: "" };
    elements.push(element);
    open.push(element);
  });
  parser.on("text", (text) => {
    const last = open.at(-1);
    if (last !== undefined) last.text += text;
  });
  parser.on("closetag", () => void open.pop());
  parser.write(xml).close();
  return elements;
}

test("JUnit has a suite for each row and a case for each check; what is not known is skipped and no pass", () => {
  const elements = elementsOf(toJunit(sampleReport()));
  const [all, ...rest] = elements;
  assert.deepEqual(
    [all?.attributes["tests"], all?.attributes["failures"], all?.attributes["skipped"]],
    ["6", "1", "3"],
  );
  assert.equal(rest.filter(({ name }) => name === "testsuite").length, 4);
  const failed = rest.filter(({ name }) => name === "failure");
  assert.equal(failed.length, 1);
  assert.match(failed[0]?.text ?? "", /61 of 60 requests[\s\S]*62 of 60 requests[\s\S]*See it again: {2}npx/);
  assert.doesNotMatch(failed[0]?.text ?? "", /the limit holds/, "what held is no part of a failure");
  assert.deepEqual(
    rest.filter(({ name }) => name === "skipped").map(({ attributes }) => attributes["message"]),
    [
      "not made: nobody came",
      "not made: the plan has no sample for GET /api/orders/:id",
      "not applicable: the contract has no site",
    ],
  );
});

test("JUnit names the place in the contract, seen from the root of the repository", () => {
  const burst = elementsOf(toJunit(sampleReport())).find(
    ({ attributes }) => attributes["name"] === "burst of N + 1",
  );
  assert.deepEqual(
    [burst?.attributes["classname"], burst?.attributes["file"], burst?.attributes["line"]],
    ["API-2", "examples/shop/curtainwall.config.ts", "63"],
  );
});

test("JUnit of hostile text is well-formed XML, with the text as text", () => {
  const elements = elementsOf(toJunit(hostileReport()));
  assert.deepEqual([...new Set(elements.map(({ name }) => name))].sort(), [
    "failure",
    "skipped",
    "system-out",
    "testcase",
    "testsuite",
    "testsuites",
  ]);
  const [failure] = elements.filter(({ name, text }) => name === "failure" && text.includes("<script>"));
  assert.ok(failure?.text.includes(hostileText.slice(0, 60)));
});
