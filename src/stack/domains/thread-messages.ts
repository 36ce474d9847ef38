import type { Release, SecurityEvent } from "../../contract/index.ts";
import type { GateMemory, LimitMemory, ProofMemory, RevocationMemory } from "../../gateway/index.ts";
import type { CertificatePair, EdgeConfiguration, FromDomain } from "../processes/messages.ts";

/** What an edge thread starts with. */
export interface ThreadConfiguration extends EdgeConfiguration {
  sockets: EdgeConfiguration["threads"][number];
  limits: LimitMemory;
  gates: GateMemory;
  revocations: RevocationMemory;
  /** Undefined: the contract asks for no proofs. */
  proofs: ProofMemory | undefined;
  /** Its number, from 0. */
  thread: number;
  /** Keys of TLS session tickets, the same for all threads: a client resumes on whichever it meets. */
  ticketKeys: Uint8Array;
}

/** What an edge thread is told. */
export type ToThread =
  | { type: "taken"; /** Events that were passed on. */ count: number }
  | { type: "listen" }
  | { type: "certificate"; certificate: CertificatePair }
  | { type: "api-keys"; list: string | undefined }
  | { type: "upstream-certificates"; certificates: EdgeConfiguration["upstreamCertificates"] }
  /** The first one comes before `listen`. */
  | { type: "release"; release: Release }
  | { type: "stop"; graceMs: number };

/** What an edge thread says. */
export type FromThread =
  | { type: "loaded" }
  | { type: "listening" }
  | { type: "stopped" }
  /** It serves the release it was given, or goes on with the one before. */
  | { type: "released"; refused: Omit<Extract<FromDomain, { type: "failed" }>, "type"> | undefined }
  | { type: "events"; events: SecurityEvent[] }
  | Extract<FromDomain, { type: "failed" }>;
