import type { JWK } from "jose";
import type { ContractLedger } from "../contract/index.ts";

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
  | { type: "stop"; graceMs: number };

/** Everything that the edge works with: it opens no file of its own after it gave up its rights. */
export interface EdgeConfiguration {
  contractFile: string;
  certificate: CertificatePair;
  /** PEM of private authorities, by upstream. */
  upstreamAuthorities: Record<string, string>;
  issuerAuthority: string | undefined;
  assertionKey: JWK;
  user: DomainUser | undefined;
  eventsFd: number;
  releaseFd: number;
  /** Listening sockets by thread. */
  threads: { fd: number; kind: "https" | "redirect" }[][];
  maxClients: number;
}

/** What a domain says. */
export type FromDomain =
  | { type: "ready"; /** Digest of the release that it serves. */ release?: string }
  | { type: "failed"; code: string; message: string; hint: string | undefined };
