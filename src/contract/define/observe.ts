/** For how long, and why, a route lets pass what its contract refuses. */
export interface ObserveOptions {
  /** The last day, in UTC, at most 90 days ahead: `"2026-12-31"`. From the next day on the route enforces by itself. */
  until: string;
  /** Why. */
  reason: string;
}

/** What routes say of being observed. */
export interface ObserveOption {
  /**
   * Reports what of the route's schemas and rates would refuse, and lets it pass as it came: so that an API that is in use can be brought under
   * contract. Who may call, whose objects they are, what may not leave and how large anything may be stays as it is. Default: all is enforced.
   */
  insecureObserve?: ObserveOptions;
}
