import type { JWK } from "jose";
import type { AcceptedRelease } from "../../contract/index.ts";
import type {
  ContractFunction,
  ContractLedger,
  ContractSecret,
  EnvironmentName,
} from "../../contract/index.ts";
import type { GateSpace } from "../../gateway/index.ts";
import type { Checkpoint, CheckpointClaim } from "../../ledger/index.ts";
import type { EdgeSite } from "../edge/edge-site.ts";
import type { OperatorEvent } from "../operator/operator-event.ts";
import type { LimitStoreAccess } from "../edge/limit-store.ts";
import type { RevokedTokens } from "../edge/revoked-tokens.ts";
import type { UpstreamCertificates } from "../edge/upstream-certificates.ts";
import type { LogToSign } from "../vault/sign-log.ts";

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

/** A listening socket that a domain inherited, by its name in `held-listeners.ts`. */
export interface InheritedListener {
  name: string;
  fd: number;
}

/** What every domain but the ledger and the edge starts with. */
export interface DomainConfiguration {
  user: DomainUser | undefined;
  /** Where it writes events to. */
  eventsFd: number;
  listeners: InheritedListener[];
}

/** What the ledger is told. */
export type ToLedger =
  | {
      type: "configure";
      file: string;
      /** See `lockLog`. */
      lockFile: string;
      keep: ContractLedger;
      sources: { name: string; fd: number }[];
      user: DomainUser | undefined;
    }
  /** What it asked to be signed; undefined: it was refused. */
  | { type: "checkpoint"; checkpoint: Checkpoint | undefined }
  /** What an operator is about to do. */
  | { type: "record"; number: number; event: OperatorEvent }
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
  limitStore: LimitStoreAccess | undefined;
  domainSockets: DomainSockets;
}

/** Where the edge reaches other domains; undefined: the contract has no work for them. */
export interface DomainSockets {
  /** The keeper of functions. */
  functions: string | undefined;
  /** What adds secrets to requests, and checks webhooks. */
  egress: string | undefined;
  /** The store that hosts share, opened and authenticated by egress. */
  limits: string | undefined;
}

/** What the vault is told by the supervisor. It runs no code of the site: all that it needs of the contract is here. */
export type ToVault =
  | ({ type: "configure" } & VaultConfiguration)
  /** A command started it, to ask it something through a pipe. */
  | ({ type: "administer" } & VaultAdministration)
  /** The supervisor saw that the log is so, and goes on from what was signed before. */
  | ({ type: "sign-log"; number: number } & LogToSign)
  | { type: "stop" };

/** What a vault works with. */
export interface VaultConfiguration extends DomainConfiguration, VaultPlaces {
  /** Whether it makes a store where there is none. Not when it is started again: its store was taken away, and may come back. */
  mayCreate: boolean;
  /** Those that the contract declares; it gives out no others. */
  secrets: Pick<ContractSecret, "name" | "purpose">[];
}

/** Which store a vault opens, and with what. */
export interface VaultPlaces {
  environment: EnvironmentName;
  /** Whose secrets they are: the host of the site's origin. */
  project: string;
  /** The store's file, in a folder that belongs to the vault's user. */
  file: string;
  key: VaultKey;
  /** Undefined: nobody else remembers how far the store got. */
  witnessFile: string | undefined;
}

/** Where a vault's key comes from: files by their absolute paths, a passphrase as it was typed. */
export type VaultKey =
  | { kind: "file"; file: string }
  | { kind: "passphrase"; passphrase: string }
  | { kind: "credential"; name: string; directory?: string };

/** What a vault that a command started works with. */
export interface VaultAdministration extends VaultPlaces {
  user: DomainUser | undefined;
  adminFd: number;
  /** Who asks, for the store's history. */
  by: string;
  /** Makes the store if there is none. */
  mayCreate: boolean;
  /** It will export or import: what that takes is loaded before it gives up its rights. */
  exchanges: boolean;
  /** The key that everything shall be wrapped with. */
  rewrapWith: VaultKey | undefined;
  /** The witness is another than it was, or a copy of the store was brought back: why that is as it should be. */
  acceptWitness: string | undefined;
}

/** What the egress is told. */
export type ToEgress = ({ type: "configure" } & EgressConfiguration) | { type: "stop"; graceMs: number };

/** What an egress works with. It loads the contract, since what limits a use may be a schema; its listeners are `egress:edge`, one a group, `redis:limits`. */
export interface EgressConfiguration extends DomainConfiguration {
  contractFile: string;
  /** Where the vault listens. Undefined: the contract declares no secret. */
  vaultSocket: string | undefined;
  /** Where it notes webhooks that were taken. Undefined: no route takes any. */
  memoryFolder: string | undefined;
  /** PEM of private authorities, by origin. */
  authorities: Record<string, string>;
  /** Which functions may come through the listener `egress:<name>`; names are those of groups behind `group:`, so that none is `egress:edge`. */
  groups: { name: string; functions: string[] }[];
}

/** What the keeper of functions is told. */
export type ToFunctions =
  | ({ type: "configure" } & FunctionsConfiguration)
  /** The process that it asked for runs; its listener has been there all the time. */
  | { type: "group-started"; group: string; pid: number }
  /** Its code is another now: once its process has ended, the next one runs that. */
  | { type: "group-replaced"; group: string }
  /** A group's process has ended, or could not be started. */
  | { type: "group-exited"; group: string; how: string }
  | { type: "stop"; graceMs: number };

/** What the keeper works with; it loads no contract, and its listener is `functions`. */
export interface FunctionsConfiguration extends DomainConfiguration {
  groups: FunctionGroupPlan[];
}

/** Functions that share a process. */
export interface FunctionGroupPlan {
  name: string;
  runner: ContractFunction["runner"];
  /** The most that one of its functions may use. */
  memoryMb: number;
  /** Where it listens: connections wait there until it runs. */
  socket: string;
  functions: Pick<
    ContractFunction,
    "name" | "timeoutMs" | "concurrency" | "maxResponseBytes" | "everyMs" | "settings"
  >[];
}

/** What the keeper asks the supervisor for, beside what every domain says. */
export type FromFunctions = { type: "start-group"; group: string } | { type: "kill-group"; group: string };

/** What a domain says. */
export type FromDomain =
  | FromFunctions
  | {
      type: "ready";
      /** The release that it serves. */
      release?: AcceptedRelease;
      /** Secrets of the contract that have no value. */
      unset?: string[];
      /** What a vault opened, as `storeFiles` names it. */
      storeFiles?: string;
    }
  | { type: "release-accepted"; release: AcceptedRelease }
  /** The ledger asks for a signature. */
  | ({ type: "sign-checkpoint" } & CheckpointClaim)
  /** The vault signed it, for the first time after another log, or with a store that remembered less than its key signed; or it does not. */
  | {
      type: "log-signed";
      number: number;
      checkpoint: Checkpoint;
      begunAfter: string | undefined;
      behind: number | undefined;
    }
  | { type: "log-refused"; number: number; reason: string }
  /** It signed more than the supervisor said: the log is to be seen to go on from there, or from what its key signed later. */
  | { type: "log-unseen"; number: number; last: CheckpointClaim | undefined; key: string }
  /** What an operator is about to do is on disk, with that number; or it is not. */
  | { type: "recorded"; number: number; seq: number }
  | { type: "unrecorded"; number: number; reason: string }
  | { type: "release-refused"; code: string; message: string; hint: string | undefined }
  | { type: "failed"; code: string; message: string; hint: string | undefined };
