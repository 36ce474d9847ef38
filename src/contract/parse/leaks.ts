import type { ContractLeaks } from "../contract/host.ts";
import type { LeakException } from "../define/host.ts";
import type { Problems } from "./problems.ts";
import { quote, section, text, weakened } from "./values.ts";

/** Reads what the leak gate lets pass. */
export function parseLeaks(problems: Problems, value: unknown): ContractLeaks {
  const options = section(problems, "leaks", value, ["allow", "publicSourceMaps", "canaries"]);
  const allow = list(problems, "leaks.allow", options?.allow).map((entry, index) =>
    parseException(problems, `leaks.allow[${index}]`, entry),
  );
  const publicSourceMaps = list(problems, "leaks.publicSourceMaps", options?.publicSourceMaps).map(
    (entry, index) => text(problems, `leaks.publicSourceMaps[${index}]`, entry),
  );
  const canaries = list(problems, "leaks.canaries", options?.canaries).map((entry, index) =>
    parseCanary(problems, `leaks.canaries[${index}]`, entry),
  );
  return { allow: allow.filter((entry) => entry !== undefined), publicSourceMaps, canaries };
}

/** Written the same in JSON, in a URL and in a file, so that it is found by its text alone. */
function parseCanary(problems: Problems, at: string, value: unknown): string {
  const canary = text(problems, at, value);
  if (canary !== "" && !/^[A-Za-z0-9_-]{12,128}$/.test(canary))
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${at} must be 12 to 128 letters, digits, - or _, not ${quote(value)}.`,
      `Make one:  "canary-${"0".repeat(8)}", with letters of your own, and write it into a column that nobody may read`,
    );
  return canary;
}

function list(problems: Problems, where: string, value: unknown): unknown[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value;
  problems.add("CONTRACT_OPTION_INVALID", `${where} must be a list, not ${quote(value)}.`);
  return [];
}

function parseException(problems: Problems, at: string, value: unknown): LeakException | undefined {
  const options = section(problems, at, value ?? null, ["rule", "path", "reason", "expires"]);
  if (options === undefined) return undefined;
  const rule = text(problems, `${at}.rule`, options.rule);
  const path = text(problems, `${at}.path`, options.path);
  const expires = text(problems, `${at}.expires`, options.expires);
  if (expires !== "" && !isDay(expires))
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${at}.expires must be a day like 2027-01-31, not ${quote(expires)}.`,
    );
  // An exception weakens the gate: its reason is told like that of every weakening.
  if (options.reason === undefined)
    problems.add(
      "CONTRACT_REASON_MISSING",
      `${at} does not say why it is safe.`,
      'reason: "a public test key",',
    );
  if (!weakened(problems, `${at}.reason`, options.reason)) return undefined;
  return { rule, path, reason: String(options.reason), expires };
}

function isDay(value: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(value)) return false;
  const day = new Date(`${value}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(value);
}
