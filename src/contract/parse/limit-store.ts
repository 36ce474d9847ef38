import type { ContractBudget, ContractLimitStore } from "../contract/limits.ts";
import type { ContractSecret } from "../contract/secret.ts";
import { assertSpan, readRate } from "../limits/limit.ts";
import { isLoopbackHost } from "../addresses/loopback.ts";
import type { Problems } from "./problems.ts";
import { checkNames, isMembers, number, optionalText, quote, section, weakened } from "./values.ts";
import type { Members } from "./values.ts";

/** Reads what all clients together may use up, by name. */
export function parseBudgets(problems: Problems, value: unknown): Map<string, ContractBudget> {
  const budgets = new Map<string, ContractBudget>();
  if (value !== undefined && !isMembers(value))
    problems.add("CONTRACT_OPTION_INVALID", `budgets must be an object, not ${quote(value)}.`);
  for (const [name, text] of Object.entries(isMembers(value) ? value : {})) {
    const rate = typeof text === "string" ? readRate(text, text, undefined) : undefined;
    if (rate === undefined)
      problems.add(
        "CONTRACT_OPTION_INVALID",
        `budgets.${name} must be how much of it there is, not ${quote(text)}.`,
        `${name}: "1000/h",`,
      );
    else
      try {
        budgets.set(name, { ...assertSpan(rate), name });
      } catch (error) {
        problems.add("CONTRACT_OPTION_INVALID", `budgets.${name}: ${(error as Error).message}`);
      }
  }
  return budgets;
}

/** Reads where hosts count together. Undefined: each counts alone. */
export function parseLimitStore(
  problems: Problems,
  value: unknown,
  secrets: ReadonlyMap<string, ContractSecret>,
): ContractLimitStore | undefined {
  const options = section(problems, "limits", value, ["store", "instances"]);
  if (options === undefined) return undefined;
  const { store, instances } = options;
  if (!isMembers(store) || store.kind !== "redis")
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      "limits.store was not made by redis().",
      'limits: { store: redis({ url: "rediss://…", password: "REDIS_PASSWORD" }), instances: 2 },',
    );
  if (instances === undefined)
    problems.add(
      "CONTRACT_OPTION_INVALID",
      "limits does not say how many hosts there are: without the store, each admits its share.",
      "Add  instances: 2,",
    );
  return readStore(problems, store, instances, secrets);
}

function readStore(
  problems: Problems,
  store: Members,
  instances: unknown,
  secrets: ReadonlyMap<string, ContractSecret>,
): ContractLimitStore {
  checkNames(problems, "limits.store", store, [
    "kind",
    "url",
    "username",
    "password",
    "caFile",
    "timeoutMs",
    "insecureAllowPlain",
  ]);
  if (store.username !== undefined && store.password === undefined)
    problems.add(
      "CONTRACT_OPTION_INVALID",
      "limits.store.username stands there without a password.",
      'Add  password: "REDIS_PASSWORD",   with   secrets: { REDIS_PASSWORD: connectionSecret() },',
    );
  const allowsPlain = weakened(problems, "limits.store.insecureAllowPlain", store.insecureAllowPlain);
  return {
    url: readUrl(problems, store.url, allowsPlain),
    username: optionalText(problems, "limits.store.username", store.username),
    secret: readPassword(problems, store.password, secrets),
    caFile: optionalText(problems, "limits.store.caFile", store.caFile),
    timeoutMs: number(problems, "limits.store.timeoutMs", store.timeoutMs, {
      min: 5,
      max: 2000,
      fallback: 100,
    }),
    instances: number(problems, "limits.instances", instances, { min: 1, max: 10_000, fallback: 1 }),
  };
}

/** The name of a secret, never its value. */
function readPassword(
  problems: Problems,
  value: unknown,
  secrets: ReadonlyMap<string, ContractSecret>,
): string | undefined {
  if (value === undefined) return undefined;
  const named = typeof value === "string" ? secrets.get(value) : undefined;
  if (named?.purpose === "connection") return named.name;
  // Not quoted: it may be a password.
  return problems.add(
    "CONTRACT_REFERENCE_UNKNOWN",
    "limits.store.password names no connectionSecret() of the contract.",
    'password: "REDIS_PASSWORD",   with   secrets: { REDIS_PASSWORD: connectionSecret() },',
  );
}

/** What stands for a URL that could not be read, while the rest of the contract is looked at. */
const blank = new URL("rediss://invalid.invalid");

function readUrl(problems: Problems, value: unknown, allowsPlain: boolean): URL {
  const url = typeof value === "string" ? URL.parse(value) : null;
  const isKnown = url !== null && (url.protocol === "rediss:" || url.protocol === "redis:");
  if (
    !isKnown ||
    url.hostname === "" ||
    !/^\/?$/.test(url.pathname) ||
    url.search !== "" ||
    url.hash !== ""
  ) {
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `limits.store.url must be where it listens, not ${quote(value)}.`,
      'Write  url: "rediss://cache.internal:6379"',
    );
    return blank;
  }
  if (url.username !== "" || url.password !== "")
    problems.add(
      "CONTRACT_OPTION_INVALID",
      "limits.store.url must not hold a user or password.",
      'Write  password: "REDIS_PASSWORD",   with   secrets: { REDIS_PASSWORD: connectionSecret() },',
    );
  if (url.protocol === "redis:" && !allowsPlain && !isLoopbackHost(url.hostname))
    problems.add(
      "CONTRACT_HTTP_REFUSED",
      "limits.store.url must be rediss: what travels over redis can be read and changed on the way.",
      'If its way is protected otherwise, say so:  insecureAllowPlain: "runs over WireGuard"',
    );
  return url;
}
