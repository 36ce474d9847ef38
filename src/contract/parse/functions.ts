import type { ContractFunction, ContractSecret } from "../contract/secret.ts";
import type { Problems } from "./problems.ts";
import { parseUses } from "./uses.ts";
import { checkNames, isMembers, number, quote } from "./values.ts";
import type { Members } from "./values.ts";

/** A file's name, and part of addresses and log lines. */
const nameGrammar = /^[a-z][a-z0-9-]{0,39}$/;
const spanGrammar = /^(\d{1,4})(s|min|h|d)$/;
const unitMs: Record<string, number> = { s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 };
/** Functions without secrets share a process, those of each runner one. */
const sharedGroups = { workerd: "plain", node: "plain-node" };
const isShared = (group: string): boolean => Object.values(sharedGroups).includes(group);

/** Reads the code that answers routes. */
export function parseFunctions(
  problems: Problems,
  value: unknown,
  secrets: ReadonlyMap<string, ContractSecret>,
): Map<string, ContractFunction> {
  const functions = new Map<string, ContractFunction>();
  if (value !== undefined && !isMembers(value))
    problems.add("CONTRACT_OPTION_INVALID", `functions must be an object, not ${quote(value)}.`);
  for (const [name, entry] of Object.entries(isMembers(value) ? value : {})) {
    const where = `functions.${name}`;
    if (!nameGrammar.test(name))
      problems.add(
        "CONTRACT_OPTION_INVALID",
        `${where}: a function is named like its file, by small letters, digits and "-", 40 at most.`,
        "functions: { contact: {} },   for functions/contact.ts",
      );
    if (isShared(name))
      problems.add(
        "CONTRACT_OPTION_INVALID",
        `${where}: ${quote(name)} is the process of all functions without secrets; call it something else.`,
      );
    if (!isMembers(entry))
      problems.add("CONTRACT_OPTION_INVALID", `${where} must be an object, not ${quote(entry)}.`);
    else functions.set(name, parseFunction(problems, where, name, entry, secrets));
  }
  checkGroups(problems, functions);
  return functions;
}

function parseFunction(
  problems: Problems,
  where: string,
  name: string,
  entry: Members,
  secrets: ReadonlyMap<string, ContractSecret>,
): ContractFunction {
  checkNames(problems, where, entry, [
    "reaches",
    "settings",
    "timeoutMs",
    "memoryMb",
    "concurrency",
    "maxResponseBytes",
    "runner",
    "group",
    "every",
  ]);
  const { runner = "workerd" } = entry;
  if (runner !== "workerd" && runner !== "node")
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}.runner must be "workerd" or "node", not ${quote(runner)}.`,
    );
  const runs = runner === "node" ? "node" : "workerd";
  const hasSecrets = [...secrets.values()].some(({ by }) => by.includes(`fn:${name}`));
  return {
    name,
    reaches: entry.reaches === undefined ? [] : parseUses(problems, `${where}.reaches`, entry.reaches),
    settings: parseSettings(problems, `${where}.settings`, entry.settings),
    timeoutMs: number(problems, `${where}.timeoutMs`, entry.timeoutMs, {
      min: 10,
      max: 300_000,
      fallback: 10_000,
    }),
    memoryMb: number(problems, `${where}.memoryMb`, entry.memoryMb, { min: 64, max: 4096, fallback: 256 }),
    concurrency: number(problems, `${where}.concurrency`, entry.concurrency, {
      min: 1,
      max: 10_000,
      fallback: 64,
    }),
    maxResponseBytes: number(problems, `${where}.maxResponseBytes`, entry.maxResponseBytes, {
      min: 1,
      max: 268_435_456,
      fallback: 1_048_576,
    }),
    runner: runs,
    group: parseGroup(problems, where, entry.group, hasSecrets) ?? (hasSecrets ? name : sharedGroups[runs]),
    everyMs: entry.every === undefined ? undefined : parseSpan(problems, `${where}.every`, entry.every),
  };
}

function parseSettings(problems: Problems, where: string, value: unknown): ContractFunction["settings"] {
  if (value === undefined) return {};
  if (isMembers(value) && Object.values(value).every((entry) => typeof entry === "string"))
    return Object.freeze({ ...value }) as ContractFunction["settings"];
  problems.add(
    "CONTRACT_OPTION_INVALID",
    `${where} must be texts by name, not ${quote(value)}.`,
    'settings: { courier: "https://api.delivery.example" },',
  );
  return {};
}

function parseGroup(
  problems: Problems,
  where: string,
  value: unknown,
  hasSecrets: boolean,
): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "string" || !nameGrammar.test(value))
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}.group must be a name of small letters, digits and "-", not ${quote(value)}.`,
      'group: "delivery",',
    );
  if (hasSecrets && isShared(value))
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}.group: it uses secrets, and ${quote(value)} is the process of functions that use none.`,
      "Leave out group: then it has a process of its own",
    );
  return value;
}

/** Refuses a process that two programs would have to run. */
function checkGroups(problems: Problems, functions: ReadonlyMap<string, ContractFunction>): void {
  const first = new Map<string, ContractFunction>();
  for (const { name, group, runner } of functions.values()) {
    const other = first.get(group);
    if (other === undefined) first.set(group, functions.get(name) as ContractFunction);
    else if (other.runner !== runner)
      problems.add(
        "CONTRACT_OPTION_INVALID",
        `functions.${name} is run by ${runner}, and functions.${other.name} of the same group ${quote(group)} by ${other.runner}.`,
        "Give each a group of its own, or the same runner",
      );
  }
}

function parseSpan(problems: Problems, where: string, value: unknown): number | undefined {
  const parts = typeof value === "string" ? spanGrammar.exec(value) : null;
  const span = Number(parts?.[1] ?? 0) * (unitMs[parts?.[2] ?? ""] ?? 0);
  if (span >= 1000) return span;
  return problems.add(
    "CONTRACT_OPTION_INVALID",
    `${where} must be how often it is called, not ${quote(value)}.`,
    'every: "15min",',
  );
}
