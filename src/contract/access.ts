/** Who may call a route. Made by {@link everyone}, {@link signedIn}, {@link role}, {@link owner} and {@link ownerField}. */
export type Access =
  | { readonly kind: "everyone" }
  | { readonly kind: "signedIn" }
  | { readonly kind: "role"; readonly role: string }
  | { readonly kind: "owner"; readonly param: string }
  | { readonly kind: "ownerField"; readonly field: string };

/** Anybody, signed in or not. A token that comes along is ignored. */
export const everyone: Access = Object.freeze({ kind: "everyone" });

/** Any subject with a valid access token. */
export const signedIn: Access = Object.freeze({ kind: "signedIn" });

/** A subject whose token carries this role in the claim that `identity.rolesClaim` names. */
export function role(name: string): Access {
  return Object.freeze({ kind: "role", role: name });
}

/** The subject that the path parameter names: `owner("user")` on `/api/users/:user/orders`. */
export function owner(param: string): Access {
  return Object.freeze({ kind: "owner", param });
}

/**
 * The subject that the *answer* names: the field is read in the upstream's answer (in each element, if the answer is a
 * list) before anything is released, and an answer without it is refused. A dot reaches into objects: `"order.customerId"`.
 * Only for methods that change nothing: a write would have happened before the answer could be refused.
 */
export function ownerField(field: string): Access {
  return Object.freeze({ kind: "ownerField", field });
}
