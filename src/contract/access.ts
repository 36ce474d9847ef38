import type { ContractVisibility } from "./contract/route.ts";

/** Who may call a route. Made by {@link everyone}, {@link signedIn}, {@link role}, {@link owner} and the others here. */
export type Access =
  | { readonly kind: "everyone" }
  | { readonly kind: "signedIn" }
  | { readonly kind: "role"; readonly role: string }
  | { readonly kind: "scope"; readonly scope: string }
  | { readonly kind: "owner"; readonly param: string }
  | { readonly kind: "tenant"; readonly param: string }
  | { readonly kind: "ownerField"; readonly field: string }
  | { readonly kind: "allOf"; readonly of: readonly Access[] }
  | { readonly kind: "anyOf"; readonly of: readonly Access[] };

/** Anybody, signed in or not. A token that comes along is ignored. */
export const everyone: Access = Object.freeze({ kind: "everyone" });

/** Any subject with a valid access token. */
export const signedIn: Access = Object.freeze({ kind: "signedIn" });

/** A subject whose token carries this role in the claim that `identity.rolesClaim` names. */
export function role(name: string): Access {
  return Object.freeze({ kind: "role", role: name });
}

/** A caller that was given leave for this, in the token's `scope` (RFC 9068 §2.2.3) or with its API key: `scope("orders:read")`. */
export function scope(name: string): Access {
  return Object.freeze({ kind: "scope", scope: name });
}

/** The subject that the path parameter names: `owner("user")` on `/api/users/:user/orders`. */
export function owner(param: string): Access {
  return Object.freeze({ kind: "owner", param });
}

/**
 * Callers of the tenant that the path parameter names: `tenant("org")` on `/api/orgs/:org/bills`. Which tenant a caller belongs to says
 * the claim that `identity.tenantClaim` names; who has none is refused.
 */
export function tenant(param: string): Access {
  return Object.freeze({ kind: "tenant", param });
}

/**
 * The subject that the *answer* names: the field is read in the upstream's answer (in each element, if the answer is a
 * list) before anything is released, and an answer without it is refused. A dot reaches into objects: `"order.customerId"`.
 * Only for methods that change nothing: a write would have happened before the answer could be refused.
 */
export function ownerField(field: string): Access {
  return Object.freeze({ kind: "ownerField", field });
}

/** Who fulfils every one of these: `allOf(scope("orders:read"), owner("user"))`. */
export function allOf(...of: readonly Access[]): Access {
  return Object.freeze({ kind: "allOf", of: Object.freeze([...of]) });
}

/** Who fulfils one of these: `anyOf(role("staff"), ownerField("customerId"))`. */
export function anyOf(...of: readonly Access[]): Access {
  return Object.freeze({ kind: "anyOf", of: Object.freeze([...of]) });
}

/** All conditions that an access consists of, without {@link allOf} and {@link anyOf} themselves. */
export function accessParts(access: Access): readonly Access[] {
  return access.kind === "allOf" || access.kind === "anyOf" ? access.of.flatMap(accessParts) : [access];
}

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

/** Says in words who may call a route. */
export function describeAccess(access: Access): string {
  switch (access.kind) {
    case "everyone":
      return "everyone";
    case "signedIn":
      return "any signed-in subject";
    case "role":
      return `subjects with the role "${access.role}"`;
    case "scope":
      return `callers with the scope "${access.scope}"`;
    case "owner":
      return `the subject that the path names as :${access.param}`;
    case "tenant":
      return `callers of the tenant that the path names as :${access.param}`;
    case "ownerField":
      return `the subject that the answer names as ${access.field}`;
    case "allOf":
      return access.of.map(describeInner).join(" and ");
    case "anyOf":
      return access.of.map(describeInner).join(" or ");
  }
}

/** Says in words which objects are there for whom. */
export function describeVisible({ field, is, unless }: ContractVisibility): string {
  const there = `objects whose ${field.join(".")} is ${[...is].map((value) => JSON.stringify(value)).join(" or ")}`;
  return unless === undefined ? there : `${there}; all of them for ${describeAccess(unless)}`;
}

const describeInner = (access: Access): string =>
  access.kind === "allOf" || access.kind === "anyOf" ? `(${describeAccess(access)})` : describeAccess(access);
