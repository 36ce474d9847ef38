import type { ContractSecret } from "../contract/secret.ts";
import { parseInjector } from "./injector.ts";
import type { Problems } from "./problems.ts";
import { parseUses } from "./uses.ts";
import { checkNames, isMembers, number, quote } from "./values.ts";
import type { Members } from "./values.ts";

/** As environment variables are named, which is what secrets are known as elsewhere. */
const nameGrammar = /^[A-Z][A-Z0-9_]{0,63}$/;
const purposes: readonly unknown[] = [
  "request",
  "webhook",
  "connection",
] satisfies ContractSecret["purpose"][];

/** Reads which credentials there are, and what each may be used for. */
export function parseSecrets(problems: Problems, value: unknown): Map<string, ContractSecret> {
  const secrets = new Map<string, ContractSecret>();
  if (value !== undefined && !isMembers(value))
    problems.add("CONTRACT_OPTION_INVALID", `secrets must be an object, not ${quote(value)}.`);
  for (const [name, entry] of Object.entries(isMembers(value) ? value : {})) {
    const where = `secrets.${name}`;
    if (!nameGrammar.test(name))
      problems.add(
        "CONTRACT_OPTION_INVALID",
        `${where}: a secret is named by capital letters, digits and "_", 64 at most.`,
        "DELIVERY_KEY: secret({ … }),",
      );
    if (!isMembers(entry) || entry.kind !== "secret" || !purposes.includes(entry.purpose))
      problems.add(
        "CONTRACT_OPTION_INVALID",
        `${where} was not made by secret(), webhookSecret() or connectionSecret().`,
        `${name}: secret({ use: "GET https://…", by: fn("…"), inject: bearer() }),`,
      );
    else secrets.set(name, parseSecret(problems, where, name, entry));
  }
  return secrets;
}

function parseSecret(problems: Problems, where: string, name: string, entry: Members): ContractSecret {
  const purpose = entry.purpose as ContractSecret["purpose"];
  const isSent = purpose === "request";
  checkNames(problems, where, entry, [
    "kind",
    "purpose",
    "rotateEveryDays",
    ...(isSent ? ["use", "by", "inject"] : []),
  ]);
  return {
    name,
    purpose,
    uses: isSent ? parseUses(problems, `${where}.use`, entry.use) : [],
    by: isSent ? parseUsers(problems, where, entry.by) : [],
    inject: isSent ? parseInjector(problems, `${where}.inject`, entry.inject) : undefined,
    rotateEveryDays:
      entry.rotateEveryDays === undefined
        ? undefined
        : number(problems, `${where}.rotateEveryDays`, entry.rotateEveryDays, {
            min: 1,
            max: 3650,
            fallback: 90,
          }),
  };
}

function parseUsers(problems: Problems, where: string, value: unknown): string[] {
  const given: readonly unknown[] = Array.isArray(value) ? value : [value];
  const names = given.filter((user) => typeof user === "string");
  if (names.length === 0 || names.length < given.length)
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}.by must say who causes its use, not ${quote(value)}.`,
      'by: fn("quotes"),   or a route:   by: "GET /api/weather",',
    );
  return [...new Set(names)];
}
