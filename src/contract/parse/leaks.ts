import type { ContractLeaks } from "../contract.ts";
import type { LeakException } from "../define.ts";
import type { Problems } from "./problems.ts";
import { quote, section, text, weakened } from "./values.ts";

/** Reads what the leak gate lets pass. */
export function parseLeaks(problems: Problems, value: unknown): ContractLeaks {
  const options = section(problems, "leaks", value, ["allow", "publicSourceMaps"]);
  const allow = list(problems, "leaks.allow", options?.allow).map((entry, index) =>
    parseException(problems, `leaks.allow[${index}]`, entry),
  );
  const publicSourceMaps = list(problems, "leaks.publicSourceMaps", options?.publicSourceMaps).map(
    (entry, index) => text(problems, `leaks.publicSourceMaps[${index}]`, entry),
  );
  return { allow: allow.filter((entry) => entry !== undefined), publicSourceMaps };
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
