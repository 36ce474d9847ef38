import type { ContractUpstream } from "../contract.ts";
import { parseHealth } from "./health.ts";
import { parseConcurrency } from "./limits.ts";
import type { Problems } from "./problems.ts";
import { parseRetries } from "./retries.ts";
import { parseClientCertificate, parseTold } from "./upstream-origin.ts";
import { parseAddresses } from "./upstream-addresses.ts";
import { checkNames, isMembers, number, optionalText, quote } from "./values.ts";

/** Reads the services that stand behind the gateway, by name. */
export function parseUpstreams(problems: Problems, value: unknown): Map<string, ContractUpstream> {
  const upstreams = new Map<string, ContractUpstream>();
  if (value !== undefined && !isMembers(value))
    problems.add("CONTRACT_OPTION_INVALID", `upstreams must be an object, not ${quote(value)}.`);
  for (const [name, entry] of Object.entries(isMembers(value) ? value : {})) {
    const where = `upstreams.${name}`;
    if (name.startsWith("fn:"))
      problems.add(
        "CONTRACT_OPTION_INVALID",
        `${where}: names that begin with "fn:" are functions'.`,
        `functions: { ${quote(name.slice("fn:".length))}: {} },`,
      );
    if (!isMembers(entry) || entry.kind !== "upstream") {
      problems.add(
        "CONTRACT_OPTION_INVALID",
        `${where} was not made by upstream().`,
        `${name}: upstream({ url: "https://…" }),`,
      );
      continue;
    }
    checkNames(problems, where, entry, [
      "kind",
      "url",
      "network",
      "retries",
      "retryOn",
      "health",
      "healthEveryMs",
      "timeoutMs",
      "maxResponseBytes",
      "concurrency",
      "caFile",
      "clientCertificate",
      "forwardClient",
      "trace",
      "insecureAllowHttp",
    ]);
    const addresses = parseAddresses(problems, where, entry);
    upstreams.set(name, {
      name,
      ...addresses,
      ...parseTold(problems, where, entry),
      clientCertificate: parseClientCertificate(problems, where, entry, addresses),
      ...parseRetries(problems, where, entry),
      ...parseHealth(problems, where, entry),
      timeoutMs: number(problems, `${where}.timeoutMs`, entry.timeoutMs, {
        min: 1,
        max: 300_000,
        fallback: 5000,
      }),
      maxResponseBytes: number(problems, `${where}.maxResponseBytes`, entry.maxResponseBytes, {
        min: 1,
        max: 268_435_456,
        fallback: 1_048_576,
      }),
      concurrency: parseConcurrency(problems, `${where}.concurrency`, entry.concurrency),
      caFile: optionalText(problems, `${where}.caFile`, entry.caFile),
    });
  }
  return upstreams;
}
