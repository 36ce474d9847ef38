import { doUsesMeet, textOfUse } from "../../../contract/index.ts";
import type { Contract } from "../../../contract/index.ts";
import type { Check, Rule } from "../../check.ts";
import { impostors } from "./impostors.ts";
import { noProbe, withoutSecrets } from "../own-machine.ts";
import { grantBounds } from "./bounds.ts";
import { confinedFunctions, ownUsers } from "./processes.ts";
import { askAll, askedOf, exampleOf, grantsOf, usersOfSecrets } from "./questions.ts";
import type { Question } from "./questions.ts";

const matrix: Check = {
  name: "every function × every secret",
  kind: "live",
  attack: { kind: "egress", promise: "secrets", per: "site" },
  isActive: true,
  notApplicable: withoutSecrets,
  run: async ({ secrets, contract }, tally) => {
    if (secrets === undefined) return tally.miss(noProbe);
    const counts = await askAll(secrets, questionsOf(contract), tally);
    for (const [answer, count] of Object.entries(counts))
      if (count > 0)
        tally.pass({
          kind: "measurement",
          about: `users of secrets × requests: ${answer}, as the contract declares`,
          value: count,
          unit: "questions; nothing was sent",
        });
  },
};

/**
 * Each user of secrets with each request that some secret is sent with; and each function by the socket of each other group, and by that of the
 * edge, which sends for routes alone.
 */
function questionsOf(contract: Contract): Question[] {
  const { secrets, functions } = contract;
  const declared = [...secrets.values()].filter(({ purpose }) => purpose === "request");
  const groups = [...new Set([...functions.values()].map(({ group }) => group))];
  return usersOfSecrets(contract).flatMap((user) => {
    const grants = grantsOf(contract, user);
    const own = functions.get(user.slice("fn:".length))?.group;
    const pairs = declared.flatMap(({ name, uses }) =>
      uses.map((use): Question => {
        const concrete = exampleOf(use);
        return {
          asker: { user, group: own },
          use: askedOf(concrete),
          expected: grants.some((grant) => doUsesMeet(grant, concrete)) ? "permitted" : "refused",
          about: `${user} asks for ${textOfUse(use)}, which ${name} is sent with`,
        };
      }),
    );
    const [first] = grants;
    const strangers =
      own === undefined || first === undefined
        ? []
        : [undefined, ...groups]
            .filter((group) => group !== own)
            .map((group): Question => ({
              asker: { user, group },
              use: askedOf(exampleOf(first)),
              expected: "refused",
              about: `somebody in ${group === undefined ? "the edge" : `the process ${group}`} says to be ${user}`,
            }));
    return [...pairs, ...strangers];
  });
}

const unused: Check = {
  name: "unused grants",
  kind: "live",
  isActive: true,
  notApplicable: withoutSecrets,
  run: async ({ secrets }, tally) => {
    if (secrets === undefined) return tally.miss(noProbe);
    const uses = await secrets.grantUses();
    if ("missing" in uses) return tally.miss(uses.missing);
    const idle = uses.filter(({ count }) => count === 0);
    for (const { secret, user } of idle)
      tally.pass({
        kind: "measurement",
        about: `a grant that nobody needed, as far back as the log goes: ${secret} by ${user}`,
        value: 0,
        unit: "uses",
      });
    if (uses.length > idle.length)
      tally.pass({
        kind: "measurement",
        about: "grants that were used, as far back as the log goes",
        value: uses.length - idle.length,
        unit: `of ${uses.length}`,
      });
  },
};

/** SEC-5: least privilege. */
export const sec5: Rule = {
  id: "SEC-5",
  checks: [matrix, grantBounds, unused, impostors, confinedFunctions, ownUsers],
};
