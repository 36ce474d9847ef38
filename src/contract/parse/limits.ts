import { parseLimit } from "../limit.ts";
import type { Limit } from "../limit.ts";
import type { Problems } from "./problems.ts";
import { isMembers } from "./values.ts";

/** Reads how often a route may be called. */
export function parseLimits(problems: Problems, where: string, value: unknown, access: unknown): Limit[] {
  if (value === undefined) {
    problems.add(
      "CONTRACT_ROUTE_INCOMPLETE",
      `${where} does not say how often it may be called.`,
      'Add  limit: "120/min per client",',
    );
    return [];
  }
  const limits: Limit[] = [];
  for (const entry of Array.isArray(value) ? value : [value]) {
    try {
      limits.push(parseLimit(entry));
    } catch (error) {
      problems.add("CONTRACT_OPTION_INVALID", `${where}: ${(error as Error).message}`);
    }
  }
  if (limits.some((limit) => limit.by === "user") && isMembers(access) && access.kind === "everyone") {
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}: a limit per user needs a user, and access is everyone.`,
      'Write  limit: "120/min per client",',
    );
  }
  return limits;
}
