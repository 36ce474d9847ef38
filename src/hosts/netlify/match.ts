import { hostsError, shown } from "../errors.ts";
import type { Rule, RuledFile } from "../rules.ts";

/**
 * Plays Netlify's matching over all files: whatever a rule says about paths that it was not made for is found here. Rules
 * ignore case and a slash at the end, and `/assets/*` covers `/assets-old/` too.
 *
 * @throws {CurtainwallError} `HOSTS_PATH_REFUSED` naming the file that would get a header that it does not declare
 */
export function assertRulesMean(rules: readonly Rule[], files: readonly RuledFile[]): void {
  const wide = rules.filter(({ below }) => below);
  const exact = new Map<string, Rule[]>();
  for (const rule of rules)
    if (!rule.below) exact.set(folded(rule.path), [...(exact.get(folded(rule.path)) ?? []), rule]);
  const order = new Map(rules.map((rule, at) => [rule, at]));
  for (const file of files) {
    const path = folded(file.path);
    const matching = [
      ...wide.filter((rule) => path.startsWith(folded(rule.path))),
      ...(exact.get(path) ?? []),
    ];
    matching.sort((left, right) => (order.get(left) ?? 0) - (order.get(right) ?? 0));
    assertSame(file, new Map(matching.flatMap(({ set }) => set)), matching);
  }
}

const folded = (path: string): string => path.replace(/\/$/, "").toLowerCase();

function assertSame(file: RuledFile, sent: ReadonlyMap<string, string>, rules: readonly Rule[]): void {
  const own = new Map(file.headers);
  const other = [...new Set([...sent.keys(), ...own.keys()])].find(
    (name) => sent.get(name) !== own.get(name),
  );
  if (other === undefined) return;
  const by = rules.findLast(({ set }) => set.some(([name]) => name === other));
  throw hostsError(
    "HOSTS_PATH_REFUSED",
    `On Netlify ${shown(file.path)} would get another ${other}: the rule for ${shown(by?.path ?? "/")} covers it too.`,
    "Netlify's rules ignore case, a slash at the end, and what follows a folder's name: rename one of them",
  );
}
