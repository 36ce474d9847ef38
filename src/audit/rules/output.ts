import type { Check, Rule } from "../check.ts";
import type { AuditContext } from "../context.ts";
import type { OutputSearch } from "../probes/probe.ts";
import { insideAddresses } from "./fe-6/inside-addresses.ts";
import { islandRoutes } from "./fe-6/island-routes.ts";
import { servedAsBuilt } from "./served-as-built.ts";
import { noRelease } from "./shared.ts";
import { counted } from "../../shared/index.ts";

/** A check of what was built: that the leak gate finds nothing of one kind in any file, in any dress. */
function outputCheck(options: {
  name: string;
  /** What it looks for, in words: `access keys and tokens of known providers`. */
  what: string;
  isOne: (rule: string) => boolean;
  notApplicable?: (search: OutputSearch) => string | undefined;
}): Check {
  const { name, what, isOne, notApplicable } = options;
  return {
    name,
    kind: "built",
    run: async (context, tally) => {
      const search = await searchOf(context);
      if (typeof search === "string") return tally.miss(search);
      const idle = notApplicable?.(search);
      if (idle !== undefined) return tally.notApplicable(idle);
      const found = search.findings.filter(({ rule }) => isOne(rule));
      for (const { path, text } of found)
        tally.fail({ kind: "measurement", about: `${what} in ${path}`, value: text });
      if (found.length === 0 && search.files > 0)
        tally.pass({
          kind: "measurement",
          about: `${what} (raw, encoded, packed)`,
          value: 0,
          unit: `in ${counted(search.files, "file")} of the release`,
        });
    },
  };
}

/** What the search found, or why there was none. */
async function searchOf(context: AuditContext): Promise<OutputSearch | string> {
  if (context.release === undefined) return noRelease(context);
  if (context.searchOutput === undefined) return "nobody searched the output";
  return context.searchOutput();
}

const privateValues = (): Check =>
  outputCheck({
    name: "values that the contract keeps private, in every encoding",
    what: "values of privateEnv and of variables named like secrets",
    isOne: (rule) => rule === "private-value" || rule === "environment-value",
    notApplicable: ({ values }) =>
      values.length === 0 ? "the contract keeps no value private and the environment holds none" : undefined,
  });

/** Values that only the vault has: searched for by their fingerprints. */
const vaultValues: Check = {
  name: "vault values and canaries in all output, in every encoding",
  kind: "built",
  notApplicable: ({ contract }) =>
    contract.secrets.size === 0 && contract.leaks.canaries.length === 0
      ? "the contract declares neither secrets nor canaries"
      : undefined,
  run: async (context, tally) => {
    const search = await searchOf(context);
    if (typeof search === "string") return tally.miss(search);
    const { secrets, findings, files } = search;
    const found = findings.filter(({ rule }) => rule === "vault-value" || rule === "canary");
    for (const { path, text } of found)
      tally.fail({ kind: "measurement", about: `a value that nobody may read, in ${path}`, value: text });
    for (const { name, reason } of secrets.unsearched) tally.miss(`${name} was not looked for: ${reason}`);
    const unset = secrets.declared.filter(
      (name) => !secrets.searched.includes(name) && !secrets.unsearched.some((other) => other.name === name),
    );
    for (const name of unset) tally.notApplicable(`${name} has no value yet`);
    if (
      found.length === 0 &&
      files > 0 &&
      secrets.searched.length + context.contract.leaks.canaries.length > 0
    )
      tally.pass({
        kind: "measurement",
        about: `values of ${secrets.searched.join(", ") || "canaries"}, by their fingerprints (raw, encoded, packed)`,
        value: 0,
        unit: `in ${counted(files, "file")} of the release`,
      });
  },
};

const providerPatterns = (): Check =>
  outputCheck({
    name: "provider patterns",
    what: "keys and tokens that their issuers describe",
    isOne: (rule) => rule.startsWith("token-"),
  });

/** Rules of the gate that a check of its own looks at. */
const lookedAt =
  /^(?:token-.*|private-value|environment-value|vault-value|canary|source-map|server-only|public-name-undeclared)$/;

/** What the gate refuses besides: private files, databases, paths of the machine that built, what nobody could look into. */
const whateverElse = (): Check =>
  outputCheck({
    name: "all else that a build is refused for",
    what: "private files, databases, paths of the machine that built, what could not be searched",
    isOne: (rule) => !lookedAt.test(rule),
  });

/** No keys or tokens in client code. */
export const api4: Rule = {
  id: "API-4",
  checks: [privateValues(), vaultValues, providerPatterns(), whateverElse(), servedAsBuilt],
};

/** No secrets or sensitive logic in bundles. */
export const fe6: Rule = {
  id: "FE-6",
  checks: [
    privateValues(),
    vaultValues,
    providerPatterns(),
    outputCheck({
      name: "source maps",
      what: "source maps that nobody declared",
      isOne: (rule) => rule === "source-map",
    }),
    outputCheck({
      name: "server-only modules in a client graph",
      what: "modules that say they are for the server",
      isOne: (rule) => rule === "server-only",
    }),
    outputCheck({
      name: "public-env prefixes",
      what: "variables with a public prefix that the contract does not declare",
      isOne: (rule) => rule === "public-name-undeclared",
      notApplicable: ({ isHeldToPublicNames }) =>
        isHeldToPublicNames ? undefined : "the contract declares no publicEnv to hold names against",
    }),
    whateverElse(),
    insideAddresses,
    islandRoutes,
    servedAsBuilt,
  ],
};
