import type { JWK } from "jose";
import type { AcceptedRelease } from "../contract/index.ts";
import type { ContractLedger } from "../contract/index.ts";
import type { GateSpace } from "../gateway/index.ts";
import type { EdgeSite } from "./edge-site.ts";
import type { LimitStoreSecrets } from "./limit-store.ts";
import type { RevokedTokens } from "./revoked-tokens.ts";
import type { UpstreamCertificates } from "./upstream-certificates.ts";

/** User and group that a domain becomes; undefined when its sandbox does that. */
export interface DomainUser {
  uid: number;
  gid: number;
}

/** A certificate chain and its key, PEM. */
export interface CertificatePair {
  cert: string;
  key: string;
}

/** What the ledger is told. */
export type ToLedger =
  | {
      type: "configure";
      file: string;
      keep: ContractLedger;
      sources: { name: string; fd: number }[];
      user: DomainUser | undefined;
    }
  | { type: "stop" };

/** What the edge is told. */
export type ToEdge =
  | ({ type: "configure" } & EdgeConfiguration)
  | { type: "certificate"; certificate: CertificatePair }
  /** The list of API keys, as its file has it now; undefined: there is no file. */
  | { type: "api-keys"; list: string | undefined }
  /** All certificates that upstreams are shown, as their files have them now. */
  | { type: "upstream-certificates"; certificates: UpstreamCertificates }
  /** Tokens that don't count any more, beside those that were told before. The first ones come before the first release. */
  | ({ type: "revocations" } & RevokedTokens)
  /** A release comes through the pipe: its signatures, then its pack. `last` is what this site served last. */
  | { type: "release"; signatureBytes: number; packBytes: number; last: AcceptedRelease | undefined }
  | { type: "stop"; graceMs: number };

/** Everything that the edge works with: it opens no file of its own after it gave up its rights. */
export interface EdgeConfiguration {
  contractFile: string;
  site: EdgeSite;
  certificate: CertificatePair;
  /** PEM of private authorities, by upstream. */
  upstreamAuthorities: Record<string, string>;
  upstreamCertificates: UpstreamCertificates;
  issuerAuthority: string | undefined;
  /** The list of API keys, as its file had it. */
  apiKeys: string | undefined;
  /** How long a proof of possession counts, in seconds. Undefined: the contract asks for none. */
  proofSeconds: number | undefined;
  assertionKey: JWK;
  user: DomainUser | undefined;
  eventsFd: number;
  /** The pipe that releases come through, the first one too. */
  releaseFd: number;
  /** What each release is held against. */
  acceptance: {
    /** Public keys, as a contract writes them. */
    program: string;
    release: string;
    /** The site's origin. */
    site: string;
    /** Digest of the contract's routes. */
    contract: string;
  };
  /** Listening sockets by thread. */
  threads: { fd: number; kind: "https" | "redirect" }[][];
  maxClients: number;
  /** What routes, budgets and who is under way take in memory that threads share. */
  gateSpace: GateSpace;
  /** What the store that hosts share is reached with. Undefined: this host counts alone. */
  limitStore: LimitStoreSecrets | undefined;
}

/** What a domain says. */
export type FromDomain =
  | { type: "ready"; /** The release that it serves. */ release?: AcceptedRelease }
  | { type: "release-accepted"; release: AcceptedRelease }
  | { type: "release-refused"; code: string; message: string; hint: string | undefined }
  | { type: "failed"; code: string; message: string; hint: string | undefined };
