import type { ContractSecret, ContractWebhook } from "../contract/secret.ts";
import { nearest } from "../../shared/index.ts";
import type { Problems } from "./problems.ts";
import { checkNames, isMembers, number, quote } from "./values.ts";

const schemes: readonly unknown[] = [
  "standard",
  "stripe",
  "github",
  "slack",
] satisfies ContractWebhook["scheme"][];

/** Reads how a route's senders sign. */
export function parseWebhook(
  problems: Problems,
  where: string,
  value: unknown,
  secrets: ReadonlyMap<string, ContractSecret>,
): ContractWebhook | undefined {
  if (value === undefined) return undefined;
  if (!isMembers(value) || value.kind !== "webhook" || !schemes.includes(value.scheme))
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}, webhook was not made by standardWebhook(), stripe(), github() or slack().`,
      'webhook: stripe("PAYMENT_WEBHOOK_KEY"),',
    );
  checkNames(problems, `${where}, webhook`, value, ["kind", "scheme", "secret", "toleranceSeconds"]);
  const named = typeof value.secret === "string" ? secrets.get(value.secret) : undefined;
  if (named?.purpose !== "webhook") addUnknown(problems, where, value.secret, secrets);
  return {
    scheme: value.scheme as ContractWebhook["scheme"],
    secret: named?.name ?? "",
    toleranceSeconds: number(problems, `${where}, webhook.toleranceSeconds`, value.toleranceSeconds, {
      min: 10,
      max: 3600,
      fallback: 300,
    }),
  };
}

function addUnknown(
  problems: Problems,
  where: string,
  name: unknown,
  secrets: ReadonlyMap<string, ContractSecret>,
): void {
  const known = [...secrets.values()].flatMap((secret) =>
    secret.purpose === "webhook" ? [secret.name] : [],
  );
  const written = typeof name === "string" && /^[A-Z][A-Z0-9_]{0,63}$/.test(name) ? name : undefined;
  const close = typeof name === "string" ? nearest(name, known) : undefined;
  problems.add(
    "CONTRACT_REFERENCE_UNKNOWN",
    `${where}, webhook names ${quote(name)}, which is no webhookSecret() of the contract.`,
    close === undefined
      ? `secrets: { ${written ?? "PAYMENT_WEBHOOK_KEY"}: webhookSecret() },`
      : `Did you mean ${quote(close)}?`,
  );
}
