import type { JWK } from "jose";
import type { Contract, ContractRoute, ContractUpstream, ReleaseIndex } from "../contract/index.ts";
import type { Caller } from "./requests/caller.ts";
import type { Commands } from "./commands.ts";
import type { LedgerProbe } from "./probes/ledger-probe.ts";
import type { OpenKeyHost } from "./probes/key-host.ts";
import type { Listener } from "./probes/listener.ts";
import type { AuditPlan } from "./plan/plan.ts";
import type {
  BrowserProbe,
  OutputSearch,
  Protocol,
  ReleaseTrial,
  SourceProbe,
  TlsProbe,
  Wire,
} from "./probes/probe.ts";
import type { MachineProbe } from "./probes/machine-probe.ts";
import type { SecretsProbe } from "./probes/secrets-probe.ts";
import type { ServedRelease } from "./answers/served-release.ts";
import type { Tokens } from "./requests/tokens.ts";

/** What every check works from. */
export interface AuditContext {
  readonly contract: Contract;
  /** All routes that are declared, also in a context whose contract has been narrowed to one of them. */
  readonly declaredRoutes: readonly ContractRoute[];
  readonly plan: AuditPlan;
  readonly target: URL;
  /** The target is this machine, so its owner is whoever runs the audit. */
  readonly isLoopback: boolean;
  /** Why the target can't be asked anything, if it can't. Silent: it does not even take connections. */
  readonly unreachable: { readonly reason: string; readonly isSilent: boolean } | undefined;
  /** Authorities that the target's certificate may come from, PEM. */
  readonly ca: string | undefined;
  /** The release in the project's folder. */
  readonly release: ReleaseIndex | undefined;
  /** Compares what the target serves with {@link release}, once an audit. */
  servedRelease(): Promise<ServedRelease>;
  /** Searches what was built for what must not leave, once an audit. Undefined: nobody can. */
  readonly searchOutput: (() => Promise<OutputSearch>) | undefined;
  /** What would become of the release with other signatures. Undefined: nobody takes one in here. */
  readonly releaseTrial: ReleaseTrial | undefined;
  /** What the report tells people to paste. */
  readonly commands: Commands;
  /** Makes contract calls within their limits. */
  readonly caller: Caller;
  /**
   * Runs what changes for a moment what everybody would meet: no other request is under way, to upstreams neither, and none begins until it is over.
   * Its own go through the caller that it is given, and its handshakes through the probe.
   */
  alone<T>(work: (caller: Caller, tls: TlsProbe) => Promise<T>): Promise<T>;
  readonly tokens: Tokens;
  readonly wire: Wire;
  /** What the target speaks, HTTP/1.1 first. Browsers speak HTTP/2 where they can. */
  readonly protocols: readonly [Protocol, ...Protocol[]];
  readonly tls: TlsProbe;
  readonly source: SourceProbe;
  /** The issuer's public keys, from where the contract says. */
  issuerKeys(): Promise<readonly JWK[]>;
  /** Offers a public key at an address of this machine that only a forged token names. */
  readonly openKeyHost: OpenKeyHost;
  /** Connects to an upstream as it stands in the contract, for who is no gateway. */
  upstreamWire(upstream: Pick<ContractUpstream, "url" | "caFile">): Promise<Wire>;
  /** A hop's authorities, read from the contract's `caFile`. */
  hopAuthorities(caFile: string | undefined): Promise<string | undefined>;
  /** Starts the browser at first use. Throws, saying why, when there is none. */
  browser(): Promise<BrowserProbe>;
  /** Listens on this machine at first use, for whoever is sent to us. */
  listener(): Promise<Listener>;
  /** What the stack's machine shows of its secrets. Undefined: nobody looks. */
  readonly secrets: SecretsProbe | undefined;
  /** What the stack's machine shows of its processes. Undefined: nobody looks. */
  readonly machine: MachineProbe | undefined;
  /** The stack's log. Undefined: nobody may read it from here. */
  readonly ledger: LedgerProbe | undefined;
  readonly lookUpLedger: ((id: string) => Promise<unknown>) | undefined;
  /** How long a client that sends nothing useful may hold a connection, in milliseconds. */
  readonly maxSlowMs: number;
  readonly now: () => number;
  sleep(milliseconds: number): Promise<void>;
  /** Text that no server has seen before: `cw` and 16 letters. */
  mark(): string;
}
