import type { EnvironmentName } from "../../contract/index.ts";

/** What could not be looked at, and what is missing for it. */
export interface Missing {
  readonly missing: string;
}

/** A process of the running stack, and which secrets' values stand in it. */
export interface SearchedProcess {
  readonly pid: number;
  /** `edge`, `functions`, `group` … */
  readonly domain: string;
  /** Whether it runs the site's functions. */
  readonly isGroup: boolean;
  readonly environmentBytes: number;
  /** Secrets whose values stand in its environment or its command line. */
  readonly inEnvironment: readonly string[];
  readonly memoryBytes: number;
  readonly inMemory: readonly string[];
}

/** What the processes of a running stack hold. */
export interface ProcessSearch {
  /** Secrets whose values were looked for. */
  readonly searched: readonly string[];
  /** Those that can't be looked for, and why. */
  readonly unsearched: readonly { readonly name: string; readonly reason: string }[];
  /** Whether a value that was planted in a process of the audit's own was found there: the search can find. */
  readonly foundPlanted: boolean;
  readonly processes: readonly SearchedProcess[];
  /** Processes that could not be read, with the reason. */
  readonly unread: readonly string[];
}

/** Who asks egress: a function, by the socket of a group of functions, or the edge for a route. */
export interface EgressAsker {
  /** As the contract names users of secrets. */
  readonly user: string;
  /** The group whose socket it comes through. Undefined: the edge's. */
  readonly group: string | undefined;
}

/** A request to somebody else's service. */
export interface AskedUse {
  /** One that no contract can permit, too. */
  readonly method: string;
  readonly origin: string;
  /** With a query, if any. */
  readonly path: string;
  /** Undefined: a body is announced that is larger than any may be. */
  readonly body?: string;
  /** What the body is said to be; null: nothing is. Default: JSON. */
  readonly type?: string | null;
}

/** How often a grant was used, as far back as the log goes. */
export interface GrantUse {
  readonly secret: string;
  readonly user: string;
  readonly count: number;
}

/** How often each secret was given out by the vault, and used, by name. */
export interface VaultReads {
  readonly read: ReadonlyMap<string, number>;
  readonly used: ReadonlyMap<string, number>;
}

/** What the machine that a stack runs on shows of its secrets, to who may look. */
export interface SecretsProbe {
  readonly environment: EnvironmentName;
  /** Where the vault's key comes from: a file, a passphrase … Undefined: nothing is declared. */
  readonly keySource: string | undefined;
  /** Values of declared secrets that lie in the environment or in files, by name and place. */
  plainSecrets(): readonly { readonly name: string; readonly where: string }[];
  /** Looks into the running stack's processes for the vault's values. */
  searchProcesses(): Promise<ProcessSearch | Missing>;
  /**
   * Asks the running egress for a request that announces a larger body than any may have: it says whether the request is permitted, and sends
   * nothing to anybody. One that has a body is sent, if egress takes it.
   */
  askEgress(asker: EgressAsker, use: AskedUse): Promise<{ readonly code: string } | Missing>;
  /** What the log says of each grant. */
  grantUses(): Promise<readonly GrantUse[] | Missing>;
  /** What the log says since the stack that runs was started. */
  vaultReads(): Promise<VaultReads | Missing>;
}
