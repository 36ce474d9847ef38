import type { ContractUpstream } from "../contract.ts";
import type { ContractRoute } from "../contract/route.ts";
import type { ContractFunction, ContractSecret, ContractUse } from "../contract/secret.ts";
import type { Method } from "../path.ts";
import { memberNames } from "../schema.ts";
import { doUsesMeet, isPathWithin, textOfUse } from "../use-pattern.ts";
import { nearest } from "../../shared/index.ts";
import type { Problems } from "./problems.ts";
import { quote } from "./values.ts";

/** What secrets refer to elsewhere in the contract. */
export interface SecretSurroundings {
  readonly functions: ReadonlyMap<string, ContractFunction>;
  readonly routes: readonly ContractRoute[];
  readonly upstreams: ReadonlyMap<string, ContractUpstream>;
}

/** Refuses secrets whose users don't exist, or can't cause such a request, and requests for which two could be meant. */
export function checkSecretUsers(
  problems: Problems,
  secrets: ReadonlyMap<string, ContractSecret>,
  surroundings: SecretSurroundings,
): void {
  const { functions, routes } = surroundings;
  const users = [...[...functions.keys()].map((name) => `fn:${name}`), ...routes.map(({ key }) => key)];
  for (const secret of secrets.values()) {
    checkQueryKey(problems, secret);
    for (const user of secret.by) {
      const route = routes.find(({ key }) => key === user);
      if (!users.includes(user)) addUnknownUser(problems, secret.name, user, users);
      else if (route !== undefined) checkRoute(problems, secret, route, surroundings);
    }
  }
  checkConflicts(problems, [...secrets.values()], functions);
}

function addUnknownUser(problems: Problems, name: string, user: string, users: readonly string[]): void {
  const close = nearest(user, users);
  problems.add(
    "CONTRACT_REFERENCE_UNKNOWN",
    `secrets.${name}.by names ${quote(user)}, which is neither a function nor a route.`,
    close === undefined ? `There are: ${users.join(", ") || "none"}` : `Did you mean ${quote(close)}?`,
  );
}

/** A key that the value is put into can't be the caller's to say. */
function checkQueryKey(problems: Problems, { name, inject, uses }: ContractSecret): void {
  if (inject?.kind !== "query") return;
  const twice = uses.find(({ query }) => query !== undefined && memberNames(query).includes(inject.name));
  if (twice !== undefined)
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `secrets.${name}: the query of ${quote(textOfUse(twice))} lets its user say ${quote(inject.name)}, where the value is put.`,
      `Leave ${quote(inject.name)} out of query`,
    );
}

/** A route causes one kind of request: to its upstream, below its path. It must fit a use, wherever the upstream listens. */
function checkRoute(
  problems: Problems,
  { name, uses }: ContractSecret,
  route: ContractRoute,
  { upstreams }: SecretSurroundings,
): void {
  const where = `secrets.${name}.by names ${quote(route.key)}, which`;
  if (route.to.startsWith("fn:"))
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where} a function answers: who causes the request is the function.`,
      `by: fn(${quote(route.to.slice("fn:".length))}),`,
    );
  const upstream = upstreams.get(route.to);
  if (upstream === undefined) return;
  // The request is sent by egress, which has no key of the edge's.
  if (upstream.clientCertificate !== undefined)
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where} is answered by upstream ${quote(upstream.name)}, which asks for a client certificate: what has a secret is sent without one.`,
      `Take clientCertificate away, or send ${quote(route.key)} without a secret`,
    );
  const addresses = upstream.alternates ?? [upstream.url];
  const asked = addresses.map((url) => requestOf(route, url));
  const strange = asked.find((request) => !uses.some((use) => isRequestWithin(request, use)));
  if (strange !== undefined)
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where} sends ${quote(textOfUse(strange))}, and none of its uses fits that.`,
      `use: ${quote(textOfUse(strange))},`,
    );
}

type Request = Pick<ContractUse, "method" | "origin" | "path">;

function requestOf({ method, segments }: ContractRoute, url: URL): Request & { method: Method } {
  const base = url.pathname.split("/").filter((segment) => segment !== "");
  return {
    method,
    origin: url.origin,
    path: [...base, ...segments.map((segment) => ("text" in segment ? segment.text : "*"))],
  };
}

const isRequestWithin = (request: Request, use: ContractUse): boolean =>
  request.method === use.method && request.origin === use.origin && isPathWithin(request.path, use.path);

/** What a function or a route is permitted, and with what. */
interface Grant {
  readonly user: string;
  readonly use: ContractUse;
  /** A secret's name; undefined: without one. */
  readonly secret: string | undefined;
}

/** One request of one user is sent with one secret, or with none: which, nobody should have to guess. */
function checkConflicts(
  problems: Problems,
  secrets: readonly ContractSecret[],
  functions: ReadonlyMap<string, ContractFunction>,
): void {
  const grants: Grant[] = [
    ...secrets.flatMap(({ name, uses, by }) =>
      by.flatMap((user) => uses.map((use) => ({ user, use, secret: name }))),
    ),
    ...[...functions.values()].flatMap(({ name, reaches }) =>
      reaches.map((use) => ({ user: `fn:${name}`, use, secret: undefined })),
    ),
  ];
  const byUser = Map.groupBy(grants, ({ user }) => user);
  for (const own of byUser.values())
    for (const [index, grant] of own.entries()) {
      const other = own
        .slice(0, index)
        .find(({ secret, use }) => secret !== grant.secret && doUsesMeet(use, grant.use));
      if (other !== undefined) addConflict(problems, other, grant);
    }
}

function addConflict(problems: Problems, first: Grant, second: Grant): void {
  const named = ({ secret, use }: Grant): string =>
    `${quote(textOfUse(use))} ${secret === undefined ? "without a secret (reaches)" : `with ${secret}`}`;
  problems.add(
    "CONTRACT_OPTION_INVALID",
    `${first.user} may send ${named(first)} and ${named(second)}: some request fits both.`,
    "Narrow one, so that each request has one answer to what it is sent with",
  );
}
