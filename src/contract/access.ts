import type { NamedCheck } from "./access/check.ts";
import type { OwnerLookup } from "./access/owner-lookup.ts";

/** Who may call a route. Made by {@link everyone}, {@link signedIn}, {@link role}, {@link owner} and the others here. */
export type Access =
  | { readonly kind: "everyone" }
  | { readonly kind: "signedIn" }
  | { readonly kind: "role"; readonly role: string }
  | { readonly kind: "scope"; readonly scope: string }
  | { readonly kind: "owner"; readonly param: string }
  | { readonly kind: "tenant"; readonly param: string }
  | { readonly kind: "ownerField"; readonly field: string }
  | OwnerLookup
  | NamedCheck
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
