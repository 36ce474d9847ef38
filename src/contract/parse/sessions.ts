import type { ContractSessions } from "../contract/callers.ts";
import type { ContractRoute } from "../contract/route.ts";
import { memberSchemas } from "../schema.ts";
import type { Problems } from "./problems.ts";
import { quote, section } from "./values.ts";

/** RFC 6265bis §4.1.3.2 (the prefix), §4.1.1 (a token). */
const cookieName = /^__Host-[A-Za-z0-9_-]{1,57}$/;

/** Reads how signed-in visitors' sessions come. */
export function parseSessions(problems: Problems, value: unknown): ContractSessions | undefined {
  const options = section(problems, "sessions", value, ["cookie"]);
  if (options === undefined) return undefined;
  const { cookie = "__Host-session" } = options;
  if (typeof cookie === "string" && cookieName.test(cookie)) return { cookie };
  return problems.add(
    "CONTRACT_OPTION_INVALID",
    `sessions.cookie must be a name that begins with "__Host-", not ${quote(cookie)}.`,
    'Write  cookie: "__Host-session",  since a page of any neighbouring host could set a cookie of another name',
  );
}

/** The session's cookie is looked up and goes no further: whoever is behind the gateway could be the visitor with it. */
export function checkSessionKept(
  problems: Problems,
  sessions: ContractSessions | undefined,
  routes: readonly ContractRoute[],
): void {
  if (sessions === undefined) return;
  for (const { key, cookies } of routes) {
    if (cookies !== undefined && memberSchemas(cookies)?.has(sessions.cookie))
      problems.add(
        "CONTRACT_OPTION_INVALID",
        `Route ${quote(key)}, cookies: ${quote(sessions.cookie)} is the session's, and does not go on to an upstream.`,
        "Leave it out: the upstream is told who calls by the gateway's assertion",
      );
  }
}
