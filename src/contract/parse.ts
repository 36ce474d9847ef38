import { CurtainwallError } from "../shared/index.ts";
import type { Contract } from "./contract.ts";
import { parseApiKeys } from "./parse/api-keys.ts";
import { parseCors } from "./parse/cors.ts";
import { parseEdge } from "./parse/edge.ts";
import { parseEgress } from "./parse/egress.ts";
import { parseEnvironment } from "./parse/environment.ts";
import { parseFunctions } from "./parse/functions.ts";
import { parseIdentity } from "./parse/identity.ts";
import { parseKeys } from "./parse/keys.ts";
import { parseLeaks } from "./parse/leaks.ts";
import { parseBudgets, parseLimitStore } from "./parse/limit-store.ts";
import { parseLedger } from "./parse/ledger.ts";
import { Problems } from "./parse/problems.ts";
import { checkProxiesDeclared } from "./parse/proxies.ts";
import { parseReports } from "./parse/reports.ts";
import { parseRoutes } from "./parse/routes.ts";
import { checkSecretUsers } from "./parse/secret-users.ts";
import { parseSecrets } from "./parse/secrets.ts";
import { checkSessionKept, parseSessions } from "./parse/sessions.ts";
import { parseSite } from "./parse/site.ts";
import { parseUpstreams } from "./parse/upstreams.ts";
import { parseOrigin } from "./parse/url.ts";
import { parseVault } from "./parse/vault.ts";
import { checkNames, isMembers, weakened } from "./parse/values.ts";

/**
 * Checks a contract and fills in its defaults. Tells everything that is wrong in one error, with the line to write.
 *
 * @throws {CurtainwallError} with the code of the first problem: `CONTRACT_SHAPE_INVALID`, `CONTRACT_OPTION_UNKNOWN`,
 *   `CONTRACT_ROUTE_INCOMPLETE`, `CONTRACT_SCHEMA_OPEN` and the others that `docs/errors.md` lists.
 */
export function parseContract(stack: unknown): Contract {
  const problems = new Problems();
  if (!isMembers(stack) || stack.kind !== "stack") {
    throw new CurtainwallError("CONTRACT_SHAPE_INVALID", "The contract was not made by defineStack().", {
      hint: 'Write  export default defineStack({ origin: "https://…", … })  in curtainwall.config.ts',
    });
  }
  checkNames(problems, "the contract", stack, [
    "kind",
    "origin",
    "site",
    "identity",
    "apiKeys",
    "sessions",
    "upstreams",
    "functions",
    "secrets",
    "egress",
    "vault",
    "insecureReducedIsolation",
    "cors",
    "edge",
    "budgets",
    "limits",
    "ledger",
    "reports",
    "keys",
    "publicEnv",
    "privateEnv",
    "leaks",
    "routes",
  ]);
  const origin = parseOrigin(problems, "origin", stack.origin);
  const upstreams = parseUpstreams(problems, stack.upstreams);
  const identity = parseIdentity(problems, stack.identity);
  const apiKeys = parseApiKeys(problems, stack.apiKeys);
  const sessions = parseSessions(problems, stack.sessions);
  const budgets = parseBudgets(problems, stack.budgets);
  const secrets = parseSecrets(problems, stack.secrets);
  const functions = parseFunctions(problems, stack.functions, secrets);
  const routes = parseRoutes(problems, stack.routes, {
    upstreams,
    functions,
    secrets,
    budgets,
    callers: {
      hasIdentity: stack.identity !== undefined || stack.sessions !== undefined,
      hasKeys: apiKeys !== undefined,
      hasTenants: identity?.tenantClaim !== undefined || apiKeys !== undefined || sessions !== undefined,
      upstreams,
    },
  });
  checkSessionKept(problems, sessions, routes);
  checkSecretUsers(problems, secrets, { functions, routes, upstreams });
  const environment = parseEnvironment(problems, stack.publicEnv, stack.privateEnv);
  const edge = parseEdge(problems, stack.edge, origin);
  checkProxiesDeclared(problems, origin, edge, routes);
  const contract: Contract = {
    origin,
    site: parseSite(problems, stack.site, environment),
    identity,
    apiKeys,
    sessions,
    upstreams,
    functions,
    secrets,
    egressOrigins: parseEgress(problems, stack.egress, { secrets, functions, routes, upstreams }),
    vault: parseVault(problems, stack.vault),
    allowsReducedIsolation: weakened(
      problems,
      "insecureReducedIsolation",
      stack.insecureReducedIsolation,
      'insecureReducedIsolation: "a laptop, with test keys only",',
    ),
    corsOrigins: parseCors(problems, stack.cors, origin),
    edge,
    budgets,
    limitStore: parseLimitStore(problems, stack.limits, secrets),
    ledger: parseLedger(problems, stack.ledger),
    reports: parseReports(problems, stack.reports, routes),
    keys: parseKeys(problems, stack.keys),
    environment,
    leaks: parseLeaks(problems, stack.leaks),
    routes,
    apiRoots: new Set(routes.map((route) => route.path.split("/")[1] ?? "")),
    weakenings: problems.weakenings,
  };
  problems.throwIfAny();
  return contract;
}
