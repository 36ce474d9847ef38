import { textOfUse } from "../../contract/index.ts";
import type { Contract, ContractFunction, ContractRoute, ContractSecret } from "../../contract/index.ts";
import type { RouteStep } from "./explain.ts";

type Services = Pick<Contract, "functions" | "secrets">;

/** Says which function answers a route, in what it runs, and what it may ask others for. Undefined: none does. */
export function explainFunction(
  { to, timeoutMs }: ContractRoute,
  { functions, secrets }: Services,
  otherwise: string,
): RouteStep | undefined {
  const name = to.startsWith("fn:") ? to.slice("fn:".length) : undefined;
  const declared = name === undefined ? undefined : functions.get(name);
  if (declared === undefined) return undefined;
  const parts = [
    `${declared.name} answers within ${timeoutMs} ms`,
    sandboxOf(declared),
    `${declared.concurrency} calls at once`,
    reachOf(declared, [...secrets.values()]),
  ];
  return { check: "function", passes: parts.join("; "), otherwise };
}

function sandboxOf({ runner, memoryMb, group, name }: ContractFunction): string {
  const process = group === name ? "in a sandbox of its own" : `in the sandbox ${group}, which others share`;
  return `${process} (${runner}, ${memoryMb} MiB), without environment, files or network`;
}

function reachOf({ name, reaches }: ContractFunction, secrets: readonly ContractSecret[]): string {
  const uses = [
    ...secrets
      .filter(({ by }) => by.includes(`fn:${name}`))
      .flatMap((secret) => secret.uses.map((use) => `${textOfUse(use)} with ${secret.name}`)),
    ...reaches.map(textOfUse),
  ];
  return uses.length === 0 ? "it reaches nobody" : `by egress it reaches ${uses.join(", ")}`;
}

/** Says which credentials egress puts into a route's requests to its upstream. Empty: it goes straight there. */
export function explainEgress({ key }: ContractRoute, { secrets }: Pick<Services, "secrets">): string {
  const names = [...secrets.values()].filter(({ by }) => by.includes(key)).map(({ name }) => name);
  return names.length === 0 ? "" : `; sent by egress, which adds ${names.join(" and ")}`;
}
