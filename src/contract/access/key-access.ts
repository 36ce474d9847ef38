import type { Access } from "../access.ts";

/**
 * What of an access an API key can fulfil: every way leads by a {@link scope}, so that a key opens what it was made for and nothing that is
 * there for whoever it acts for. Undefined: no key opens the route.
 */
export function keyAccess(access: Access): Access | undefined {
  if (access.kind === "scope") return access;
  if (access.kind === "anyOf") {
    const ways = access.of.flatMap((part) => keyAccess(part) ?? []);
    return ways.length > 1 ? { kind: "anyOf", of: ways } : ways[0];
  }
  if (access.kind !== "allOf" || access.of.some((part) => part.kind === "signedIn")) return undefined;
  if (access.of.some(asksForScope)) return access;
  const of = access.of.map((part) => keyAccess(part) ?? part);
  return of.some(asksForScope) ? { kind: "allOf", of } : undefined;
}

/** Whether nobody passes without a scope. */
function asksForScope(access: Access): boolean {
  if (access.kind === "allOf") return access.of.some(asksForScope);
  return access.kind === "anyOf" ? access.of.every(asksForScope) : access.kind === "scope";
}
