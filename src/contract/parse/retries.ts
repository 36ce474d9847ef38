import type { ContractUpstream } from "../contract.ts";
import type { Method } from "../path.ts";
import type { Problems } from "./problems.ts";
import { flag, isMembers, number, quote } from "./values.ts";
import type { Members } from "./values.ts";

const statuses: readonly unknown[] = [502, 503, 504];

/** Reads how often, and for what, an upstream is sent a request again. */
export function parseRetries(
  problems: Problems,
  where: string,
  { retries, retryOn = [] }: Members,
): Required<Pick<ContractUpstream, "retries" | "retryOn">> {
  if (Array.isArray(retryOn) && retryOn.every((status) => statuses.includes(status)))
    return {
      retries: number(problems, `${where}.retries`, retries, { min: 0, max: 3, fallback: 1 }),
      retryOn,
    };
  problems.add(
    "CONTRACT_OPTION_INVALID",
    `${where}.retryOn must be a list of 502, 503 and 504, not ${quote(retryOn)}.`,
  );
  return { retries: 0, retryOn: [] };
}

/** Reads whether a route's requests may be done twice. */
export function parseIdempotent(
  problems: Problems,
  where: string,
  { idempotent, headers }: Members,
  method: Method,
): boolean {
  const given = flag(problems, `${where}, idempotent`, idempotent);
  const takesKey =
    isMembers(headers) && Object.keys(headers).some((name) => name.toLowerCase() === "idempotency-key");
  if (!given || method === "PUT" || method === "DELETE" || method === "GET" || takesKey) return given;
  problems.add(
    "CONTRACT_OPTION_INVALID",
    `${where}, idempotent: a ${method} is done as often as it is sent, unless the upstream knows it again.`,
    'Have the caller name it:  headers: { "idempotency-key": z.uuid() },',
  );
  return false;
}
