import type { AttackKind } from "./kinds.ts";
import { unitName } from "./units.ts";
import type { Unit } from "./units.ts";

/** Options of {@link attackTests}. */
export interface AttackTestsOptions {
  /** What is attacked, as far as the contract alone says it. */
  readonly units: readonly Pick<Unit, "kind" | "route">[];
  /** The project's folder, seen from the file: `../`. */
  readonly folder: string;
  /** The command that writes the file. */
  readonly command: string;
  /** The kinds and routes that it is about, where it is not about all. */
  readonly kinds?: readonly AttackKind[];
  readonly routes?: readonly string[];
}

/**
 * Writes a `node:test` file with a test for each kind of attack on each route. It says which promises are attacked and nothing of how: limits,
 * schemas and rules may change without it, and the same contract gives the same bytes.
 */
export function attackTests({ units, folder, command, kinds, routes }: AttackTestsOptions): string {
  const named = units.map(({ kind, route }) => ({ kind, route: route?.key }));
  const onRoutes = named.filter(({ route }) => route !== undefined);
  const onSite = named.filter(({ route }) => route === undefined);
  const lines = (list: typeof named): string =>
    list
      .map((unit) => {
        const route = unit.route === undefined ? "" : `, ${JSON.stringify(unit.route)}`;
        return `test(${JSON.stringify(unitName(unit))}, (t) => attack.holds(t, ${JSON.stringify(unit.kind)}${route}));`;
      })
      .join("\n");
  return `// Made by  ${inOneLine(command)}
// from the contract's routes. Run that again when routes come or go, or the last test fails; what is changed here by hand is lost.
// It attacks a stack that runs: the contract's own address, or CURTAINWALL_TARGET. What can't be attempted fails, since nothing
// was shown then; CURTAINWALL_ATTACK_ALLOW_MISSING=1 skips it instead, and CURTAINWALL_ATTACK_BUDGET=5m gives it longer.
import { after, test } from "node:test";
import { openAttack } from "curtainwall/audit";

const attack = openAttack({
  folder: new URL(${JSON.stringify(folder)}, ${itself}),
  madeBy: ${JSON.stringify(command)},${member("kinds", kinds)}${member("routes", routes)}
});
after(() => attack.stop());

test("the attack is made, which all tests below are about", { timeout: attack.maxMs }, (t) => attack.start(t));

${lines(onRoutes)}
${onSite.length === 0 ? "" : `\n// What is promised of the site as a whole.\n${lines(onSite)}\n`}
test("every attack that the contract gives rise to stands in this file", () => attack.isComplete());
`;
}

/** A comment ends where its line does, and a folder's name may have what ends one. */
const inOneLine = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, " ");

/** Put together, since the package's build gives what stands here as one word the address of this module. */
const itself = ["import", "meta", "url"].join(".");

const member = (name: string, list: readonly string[] | undefined): string =>
  list === undefined ? "" : `\n  ${name}: ${JSON.stringify(list)},`;
