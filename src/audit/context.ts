import type { JWK } from "jose";
import type { Contract, ReleaseIndex } from "../contract/index.ts";
import type { Caller } from "./caller.ts";
import type { Commands } from "./commands.ts";
import type { AuditPlan } from "./plan.ts";
import type { BrowserProbe, OutputSearch, SourceProbe, TlsProbe, Wire } from "./probe.ts";
import type { ServedRelease } from "./served-release.ts";
import type { Tokens } from "./tokens.ts";

/** What every check works from. */
export interface AuditContext {
  readonly contract: Contract;
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
  /** What the report tells people to paste. */
  readonly commands: Commands;
  /** Makes contract calls within their limits. */
  readonly caller: Caller;
  readonly tokens: Tokens;
  readonly wire: Wire;
  readonly tls: TlsProbe;
  readonly source: SourceProbe;
  /** The issuer's public keys, from where the contract says. */
  issuerKeys(): Promise<readonly JWK[]>;
  /** A hop's authorities, read from the contract's `caFile`. */
  hopAuthorities(caFile: string | undefined): Promise<string | undefined>;
  /** Starts the browser at first use. Throws, saying why, when there is none. */
  browser(): Promise<BrowserProbe>;
  readonly lookUpLedger: ((id: string) => Promise<unknown>) | undefined;
  /** How long a client that sends nothing useful may hold a connection, in milliseconds. */
  readonly maxSlowMs: number;
  readonly now: () => number;
  sleep(milliseconds: number): Promise<void>;
  /** Text that no server has seen before: `cw` and 16 letters. */
  mark(): string;
}
