/** What a {@link check} is given: frozen copies, so that nothing that it does reaches the request. */
export interface CheckFacts {
  /** Who calls: whose access token or API key was accepted. */
  readonly caller: {
    readonly subject: string;
    readonly roles: readonly string[];
    readonly scopes: readonly string[];
    /** Undefined: none is known. */
    readonly tenant: string | undefined;
    /** Names the API key that it came with; undefined: it came with a token. */
    readonly keyId: string | undefined;
  };
  /** The path's parameters, as their schemas made them. */
  readonly params: Readonly<Record<string, unknown>>;
  /** The query, as its schemas made it. */
  readonly query: Readonly<Record<string, unknown>>;
  /** The body, as its schema made it; undefined unless the check asks for it. */
  readonly body: unknown;
}

/** Tells whether a request may go on. Whatever is not `true` or `false`, or comes too late, refuses. */
export type CheckTest = (facts: CheckFacts) => boolean | PromiseLike<boolean>;

/** Options of {@link check}. */
export interface CheckOptions {
  /** Whether the test looks at the body, so that it waits until that was read and held to its schema. Default false. */
  body?: boolean;
  /** How long a test that waits for something may take, in milliseconds, 1 to 10 000. Default 250. */
  timeoutMs?: number;
}

/** A condition of one's own, made by {@link check}. */
export interface NamedCheck {
  readonly kind: "check";
  readonly name: string;
  readonly test: CheckTest;
  readonly body: boolean;
  readonly timeoutMs: number;
}

/**
 * A condition that nothing else here can say, by a name under which plan, explain and the log tell of it: `check("small-order", ({ body }) => …,
 * { body: true })`. The test runs in the gateway itself, for callers who are known. It is asked once all that costs less let the request pass.
 *
 * Its text is in `curtainwall.lock.json`, so that a change of it is told; what it calls is not.
 */
export function check(name: string, test: CheckTest, options: CheckOptions = {}): NamedCheck {
  const { body = false, timeoutMs = 250 } = options;
  return Object.freeze({ ...options, kind: "check", name, test, body, timeoutMs });
}
