import type { ContractReports } from "../contract/host.ts";
import type { ContractRoute } from "../contract/route.ts";
import type { Problems } from "./problems.ts";
import { quote, section } from "./values.ts";

const plainPath = /^(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$/;

/** Reads where browsers report to. */
export function parseReports(
  problems: Problems,
  value: unknown,
  routes: readonly Pick<ContractRoute, "path">[],
): ContractReports | undefined {
  if (value === false) return undefined;
  const { path = "/_reports" } = section(problems, "reports", value, ["path"]) ?? {};
  if (typeof path !== "string" || path.length > 100 || !plainPath.test(path))
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      `reports.path must be a plain path, not ${quote(path)}.`,
      'Write one like  reports: { path: "/_reports" }  or  reports: false',
    );
  if (routes.some((route) => route.path === path))
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      `reports.path is ${quote(path)}, which is a route of the API.`,
      'Choose another, like  reports: { path: "/_reports" }',
    );
  return { path };
}
