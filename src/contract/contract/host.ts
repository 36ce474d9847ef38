import type { Network } from "../../shared/index.ts";
import type { LeakException } from "../define/host.ts";

/** How much of the security log is kept; every default filled in. */
export interface ContractLedger {
  readonly maxFileBytes: number;
  readonly keepFiles: number;
  /** What remembers the last signature, as written. Left out: nothing does. */
  readonly witnessFile?: string;
}

/** Where browsers report what a page's policy refused; every default filled in. */
export interface ContractReports {
  readonly path: string;
}

/** How the edge listens; every default filled in. */
export interface ContractEdge {
  readonly addresses: readonly string[];
  readonly port: number;
  readonly redirectPort: number | false;
  /** Undefined: one a core. */
  readonly threads: number | undefined;
  readonly certificate: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly maxClients: number;
  /** Undefined: none were declared. */
  readonly proxies: ContractProxies | undefined;
  /** Whether it was said that there are none. */
  readonly deniesProxies: boolean;
  /** Bits of an IPv6 address that name one client. */
  readonly ipv6Prefix: number;
}

/** The proxies in front of the edge. */
export interface ContractProxies {
  /** How many stand in a row, or where they are. */
  readonly trusted: number | readonly Network[];
  readonly clientFrom: "x-forwarded-for" | "forwarded" | "proxy-protocol";
}

/** What the leak gate lets pass; every default filled in. */
export interface ContractLeaks {
  readonly allow: readonly LeakException[];
  readonly publicSourceMaps: readonly string[];
  /** What no answer of the API may have in it. */
  readonly canaries: readonly string[];
}
