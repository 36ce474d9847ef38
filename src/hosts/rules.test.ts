import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import type { Header } from "../contract/index.ts";
import { planRules, ruleCounts } from "./rules.ts";
import type { Rule, RuledFile } from "./rules.ts";

/** What a host sends that applies all rules that match, in their order. */
function sent(rules: readonly Rule[], path: string): Map<string, string> {
  const headers = new Map<string, string>();
  for (const rule of rules) {
    if (rule.below ? !path.startsWith(rule.path) : path !== rule.path) continue;
    if (!path.endsWith(rule.ending ?? "")) continue;
    for (const name of rule.unset) headers.delete(name);
    for (const [name, value] of rule.set) headers.set(name, value);
  }
  return headers;
}

const segment = fc.constantFrom("a", "b", "a.css", "index.html", "d.css");
const path = fc.oneof(
  fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join("/")}`),
  fc.array(segment, { maxLength: 3 }).map((parts) => (parts.length === 0 ? "/" : `/${parts.join("/")}/`)),
);
const value = fc.constantFrom("1", "2", "3");
const headers = fc
  .record({ x: fc.option(value), y: fc.option(value), z: value })
  .map(({ x, y, z }): Header[] => [
    ...(x === null ? [] : [["x", x] as const]),
    ...(y === null ? [] : [["y", y] as const]),
    ["z", z],
  ]);
const file = fc.record({ path, headers });
const files = fc.uniqueArray(file, { minLength: 1, maxLength: 30, selector: (one) => one.path });
const defaults = fc.constantFrom<Header[] | undefined>(
  undefined,
  [],
  [["x", "1"]],
  [
    ["y", "2"],
    ["z", "9"],
  ],
);

suite("rules for hosts that match by pattern", () => {
  test("give every file exactly its headers, whatever the defaults are", () => {
    fc.assert(
      fc.property(files, defaults, (list, given) => {
        const rules = planRules(list, { defaults: given, canUnset: true, canEnd: true });
        for (const one of list) assert.deepEqual(sent(rules, one.path), new Map(one.headers), one.path);
        const elsewhere = sent(rules, "/nowhere/else");
        for (const [name, text] of given ?? []) {
          const having = list.filter((one) => one.headers.some(([header]) => header === name));
          if (having.length * 2 >= list.length) assert.equal(elsewhere.get(name), text);
        }
      }),
    );
  });

  test("where nothing can be taken back, what is set is right, and what would be wrong is marked", () => {
    fc.assert(
      fc.property(files, defaults, (list, given) => {
        const rules = planRules(list, { defaults: given, canUnset: false, canEnd: false });
        const lost = rules.some(({ set, unset }) =>
          unset.some((name) => !set.some(([other]) => other === name)),
        );
        if (lost) return;
        for (const one of list) assert.deepEqual(sent(rules, one.path), new Map(one.headers), one.path);
      }),
    );
  });

  test("a folder whose files agree needs one rule, and files that differ one each", () => {
    const page = (name: string, policy: string): RuledFile => ({ path: name, headers: [["csp", policy]] });
    const list = [
      page("/", "page"),
      ...Array.from({ length: 200 }, (_, at) => page(`/assets/${at}.js`, "inert")),
      ...Array.from({ length: 200 }, (_, at) => page(`/pages/${at}/`, "page")),
      page("/pages/special/", "special"),
    ];
    const rules = planRules(list, { defaults: [["csp", "page"]], canUnset: true, canEnd: true });
    assert.deepEqual(
      rules.map((rule) => `${rule.path}${rule.below ? "*" : ""} ${rule.set.map(String).join()}`),
      ["/* csp,page", "/assets/* csp,inert", "/pages/special/ csp,special"],
    );
    assert.equal(ruleCounts(rules), "csp (3)");
  });

  test("files of one ending that lie among others need one rule", () => {
    const pair = (at: number): RuledFile[] => [
      { path: `/${at}.html`, headers: [["csp", "page"]] },
      { path: `/${at}.txt`, headers: [["csp", "inert"]] },
    ];
    const rules = planRules(Array.from({ length: 200 }, (_, at) => pair(at)).flat(), {
      defaults: undefined,
      canUnset: true,
      canEnd: true,
    });
    assert.deepEqual(
      rules.map((rule) => `${rule.path}*${rule.ending ?? ""} ${rule.set.map(String).join()}`),
      ["/* csp,page", "/*.txt csp,inert"],
    );
  });

  test("a type that is left to the host is not taken back", () => {
    const files = Array.from({ length: 20 }, (_, at): RuledFile => ({
      path: `/${at}.${at < 15 ? "md" : "html"}`,
      headers: at < 15 ? [["content-type", "text/markdown"]] : [],
    }));
    const rules = planRules(files, { defaults: undefined, canUnset: true, canEnd: true });
    assert.deepEqual(
      rules.map(({ ending, set, unset }) => [ending, set, unset]),
      [
        [undefined, [], []],
        [".md", [["content-type", "text/markdown"]], []],
      ],
    );
  });
});
