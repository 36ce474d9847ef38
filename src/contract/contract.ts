import type { ContractApiKeys, ContractSessions, Identity } from "./contract/callers.ts";
import type { ContractEdge, ContractLeaks, ContractLedger, ContractReports } from "./contract/host.ts";
import type { ContractBudget, ContractLimitStore } from "./contract/limits.ts";
import type { ContractRoute } from "./contract/route.ts";
import type {
  ContractEgressOrigin,
  ContractFunction,
  ContractSecret,
  ContractVault,
} from "./contract/secret.ts";
import type { ContractForeignSite, ContractSite } from "./contract/site.ts";
import type { ContractEnvironment } from "./environment.ts";
import type { ServiceNetwork } from "./addresses/network.ts";
import type { ReleaseKeys } from "./release/accept.ts";

/** An option that weakens a default, with the reason that was given: logged at start, listed by the auditor. */
export interface Weakening {
  /** Where it stands, like `routes["GET /api/x"].insecureOpenInput`. */
  at: string;
  reason: string;
}

/** An API behind the gateway; every default filled in. */
export interface ContractUpstream {
  readonly name: string;
  readonly url: URL;
  /** Where else it listens: of the same scheme and path. */
  readonly alternates?: readonly URL[] | undefined;
  /** Where its addresses must lie. Undefined: where each URL's host says. */
  readonly network?: ServiceNetwork | undefined;
  /** How often a request that may be done twice is sent again. Undefined: never. */
  readonly retries?: number | undefined;
  /** The statuses for which it is, besides broken connections. */
  readonly retryOn?: readonly number[] | undefined;
  /** What each address is asked for, and how often, to know whether it works. Undefined: requests find out. */
  readonly health?: { readonly path: string; readonly everyMs: number } | undefined;
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
  /** Requests under way to it at once, on one host. Undefined: as many as come. */
  readonly concurrency?: number | undefined;
  readonly caFile: string | undefined;
  /** What the gateway shows it. Undefined: nothing. */
  readonly clientCertificate?: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** How it is told whose request it is. Undefined: it is not. */
  readonly forwardClient?: "x-forwarded-for" | "forwarded" | undefined;
  /** Which trace a request belongs to. Undefined: it is not told. */
  readonly trace?: "new" | "continue" | undefined;
}

/** A checked contract: what every room works from. */
export interface Contract {
  readonly origin: string;
  readonly site: ContractSite | ContractForeignSite | undefined;
  readonly identity: Identity | undefined;
  /** Undefined: no API key is accepted. */
  readonly apiKeys?: ContractApiKeys | undefined;
  /** Undefined: no cookie says who calls. */
  readonly sessions?: ContractSessions | undefined;
  readonly upstreams: ReadonlyMap<string, ContractUpstream>;
  readonly functions: ReadonlyMap<string, ContractFunction>;
  readonly secrets: ReadonlyMap<string, ContractSecret>;
  /** By origin: all that secrets and functions name. */
  readonly egressOrigins: ReadonlyMap<string, ContractEgressOrigin>;
  readonly vault: ContractVault;
  /** Whether functions that use secrets start where nothing holds processes apart. */
  readonly allowsReducedIsolation: boolean;
  /** Origins other than the site's own whose pages may call the API. */
  readonly corsOrigins: readonly string[];
  readonly edge: ContractEdge;
  /** What all clients together may use up, by name. */
  readonly budgets: ReadonlyMap<string, ContractBudget>;
  /** Where hosts count together. Undefined: each counts alone. */
  readonly limitStore: ContractLimitStore | undefined;
  readonly ledger: ContractLedger;
  /** Undefined: browsers are not asked to report. */
  readonly reports: ContractReports | undefined;
  /** Whom releases must be signed by. Undefined: development keys, which are made beside the contract. */
  readonly keys: ReleaseKeys | undefined;
  readonly environment: ContractEnvironment;
  readonly leaks: ContractLeaks;
  readonly routes: readonly ContractRoute[];
  /** First path segments that belong to the API: what lies below them is never a page. */
  readonly apiRoots: ReadonlySet<string>;
  readonly weakenings: readonly Weakening[];
}
