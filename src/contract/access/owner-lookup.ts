/** Options of {@link ownerLookup}. */
export interface OwnerLookupOptions {
  /** What the upstream is asked for, with parameters of the route's own path: `"/api/orders/:id"`. */
  get: string;
  /** The field of its answer that names the owner. A dot reaches into objects: `"customer.id"`. */
  field: string;
  /** The upstream that is asked. Default: the one that the route is sent to. */
  from?: string;
  /**
   * Sends the request with `If-Match` and the ETag of what was looked at, so that the upstream refuses it if the object has changed since. Refused
   * if there is no strong ETag. Default false.
   */
  ifMatch?: boolean;
}

/** The subject that an object names, looked up before the request is sent on; made by {@link ownerLookup}. */
export interface OwnerLookup extends OwnerLookupOptions {
  readonly kind: "ownerLookup";
  readonly get: string;
  readonly field: string;
}

/**
 * The subject that the *object* names, which the upstream is asked for before it is asked to change it:
 * `ownerLookup({ get: "/api/orders/:id", field: "customerId" })` on `PUT /api/orders/:id`. Everything but an object whose field is that subject's
 * name, to the letter, refuses. Asked last, and only if nothing else has decided.
 *
 * Between the look-up and the write the object may get another owner, unless the upstream keeps `If-Match`.
 */
export function ownerLookup(options: OwnerLookupOptions): OwnerLookup {
  return Object.freeze({ ...options, kind: "ownerLookup" });
}
