import type { ContractBuild, ContractForeignSite } from "../contract/site.ts";
import type { Problems } from "./problems.ts";
import { number, optionalText, quote, text, weakened } from "./values.ts";
import type { Members } from "./values.ts";
import { parseAllowedScripts } from "./allowed-scripts.ts";

/** Reads where another generator writes its site, and how it is run. */
export function parseForeignSite(problems: Problems, options: Members): ContractForeignSite {
  return {
    dist: parseDist(problems, options.dist),
    build: parseBuild(problems, options),
    learned: optionalText(problems, "site.learned", options.learned),
    insecureEval: weakened(problems, "site.insecureEval", options.insecureEval)
      ? String(options.insecureEval)
      : undefined,
    allowScripts: parseAllowedScripts(problems, options),
  };
}

/** `dist`, `./dist/` and `apps/site/dist` lie inside; the project itself would publish its contract. */
function parseDist(problems: Problems, value: unknown): string {
  const written = text(problems, "site.dist", value);
  if (written === "") return "";
  const parts = written.split("/").filter((part) => part !== "" && part !== ".");
  if (!/^\/|^[A-Za-z]:|\\/.test(written) && parts.length > 0 && !parts.includes("..")) {
    if (!parts.some((part) => ownFolders.has(part))) return parts.join("/");
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `site.dist can't lie in ${quote(written)}: no site is built there.`,
    );
    return "";
  }
  problems.add(
    "CONTRACT_OPTION_INVALID",
    `site.dist must be a folder inside the project, not ${quote(written)}.`,
    'Name the folder that the generator writes, relative to the contract:  dist: "dist"',
  );
  return "";
}

const ownFolders: ReadonlySet<string> = new Set([".curtainwall", "node_modules", ".git"]);

/** Options that say something about a build, and mean nothing without one. */
const aboutBuilds = [
  "reaches",
  "environment",
  "timeoutMs",
  "insecureUnjailedBuild",
  "insecurePrivateAddresses",
];

function parseBuild(problems: Problems, options: Members): ContractBuild | undefined {
  if (options.build === undefined) {
    const idle = aboutBuilds.find((name) => options[name] !== undefined);
    if (idle !== undefined)
      problems.add(
        "CONTRACT_OPTION_INVALID",
        `site.${idle} is about a build, and there is none.`,
        'Add  build: "npm run build",  or take it out',
      );
    return undefined;
  }
  const command = text(problems, "site.build", options.build);
  if (command !== "" && (command.trim() === "" || command.includes("\0")))
    problems.add("CONTRACT_OPTION_INVALID", "site.build must be a command.", 'build: "npm run build",');
  const reason = (name: "insecureUnjailedBuild" | "insecurePrivateAddresses"): string | undefined =>
    weakened(problems, `site.${name}`, options[name]) ? String(options[name]) : undefined;
  return {
    command,
    reaches: list(problems, "site.reaches", options.reaches, isExactOrigin, '"https://api.example"'),
    environment: list(problems, "site.environment", options.environment, isVariable, '"SITE_NAME"'),
    timeoutMs: number(problems, "site.timeoutMs", options.timeoutMs, {
      min: 1000,
      max: 86_400_000,
      fallback: 600_000,
    }),
    insecureUnjailedBuild: reason("insecureUnjailedBuild"),
    insecurePrivateAddresses: reason("insecurePrivateAddresses"),
  };
}

function list(
  problems: Problems,
  where: string,
  value: unknown = [],
  fits: (entry: unknown) => entry is string,
  example: string,
): readonly string[] {
  if (!Array.isArray(value)) {
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where} must be a list, not ${quote(value)}.`,
      `Write it like  [${example}]`,
    );
    return [];
  }
  const entries = value as readonly unknown[];
  for (const entry of entries)
    if (!fits(entry))
      problems.add(
        "CONTRACT_OPTION_INVALID",
        `${where} can't hold ${quote(entry)}.`,
        `Each entry is written like  ${example}`,
      );
  return [...new Set(entries.filter(fits))];
}

function isExactOrigin(entry: unknown): entry is string {
  const url = typeof entry === "string" ? URL.parse(entry) : null;
  return url !== null && url.protocol === "https:" && url.origin === entry && !url.host.includes("*");
}

const isVariable = (entry: unknown): entry is string =>
  typeof entry === "string" && /^[A-Za-z_][A-Za-z0-9_]*$/.test(entry);
