import type { Contract, ContractUpstream } from "../contract.ts";
import type { Identity } from "../contract/callers.ts";
import type { ContractEdge, ContractLedger } from "../contract/host.ts";
import type { ContractLimitStore } from "../contract/limits.ts";
import type { ContractRoute } from "../contract/route.ts";
import type {
  ContractEgressOrigin,
  ContractFunction,
  ContractSecret,
  ContractVault,
} from "../contract/secret.ts";
import type { ContractForeignSite, ContractSite } from "../contract/site.ts";

/**
 * What the permission diff makes of a field of the parsed contract.
 *
 * `told`: it has entries of its own, compared by what they permit. `as written`: compared to the letter, its absence too; the safe choice for
 * a new field. `nothing`: it permits nobody anything, in either direction.
 */
export type Treatment = "told" | "as written" | "nothing";

/**
 * What a digest of the contract makes of a field: part of it, or not, because it says `where` things are, which differs between a developer's
 * machine and the host, or is only `words`.
 */
export type DigestTreatment = "counts" | "where" | "words";

/** How a field is treated: in the permission diff, and in the digest that a release names its contract by. */
export type Treatments<Parsed> = {
  readonly [Field in keyof Required<Parsed>]: readonly [diff: Treatment, digest: DigestTreatment];
};

// A field that is missing below does not compile: who adds one says here what it permits.

/** Of a route. */
export const routeTreatments: Treatments<ContractRoute> = {
  key: ["nothing", "counts"],
  method: ["nothing", "counts"],
  path: ["nothing", "counts"],
  segments: ["nothing", "counts"],
  access: ["told", "counts"],
  visible: ["told", "counts"],
  hide: ["told", "counts"],
  cache: ["as written", "counts"],
  idempotent: ["told", "counts"],
  limits: ["told", "counts"],
  pace: ["told", "counts"],
  concurrency: ["told", "counts"],
  failures: ["told", "counts"],
  spends: ["told", "counts"],
  priority: ["nothing", "counts"],
  params: ["told", "counts"],
  query: ["told", "counts"],
  headers: ["told", "counts"],
  cookies: ["told", "counts"],
  body: ["told", "counts"],
  bodyType: ["told", "counts"],
  jsonLimits: ["told", "counts"],
  response: ["told", "counts"],
  stream: ["told", "counts"],
  responseHeaders: ["told", "counts"],
  etag: ["nothing", "counts"],
  errors: ["told", "counts"],
  to: ["told", "counts"],
  webhook: ["told", "counts"],
  createsSession: ["told", "counts"],
  summary: ["nothing", "words"],
  maxBodyBytes: ["told", "counts"],
  timeoutMs: ["nothing", "counts"],
  observe: ["told", "counts"],
};

/** Of an upstream. */
export const upstreamTreatments: Treatments<ContractUpstream> = {
  name: ["told", "counts"],
  url: ["told", "where"],
  alternates: ["told", "where"],
  network: ["as written", "counts"],
  retries: ["nothing", "counts"],
  retryOn: ["nothing", "counts"],
  // It lets requests through, but none that were not let through without it.
  health: ["nothing", "counts"],
  timeoutMs: ["nothing", "counts"],
  maxResponseBytes: ["told", "counts"],
  concurrency: ["nothing", "counts"],
  caFile: ["told", "where"],
  clientCertificate: ["told", "where"],
  forwardClient: ["told", "counts"],
  trace: ["told", "counts"],
};

/** Of who issues tokens. */
export const identityTreatments: Treatments<Identity> = {
  issuer: ["told", "where"],
  audience: ["told", "where"],
  jwksUrl: ["told", "where"],
  network: ["as written", "counts"],
  algorithms: ["told", "counts"],
  rolesClaim: ["told", "counts"],
  tenantClaim: ["as written", "counts"],
  clockToleranceSeconds: ["told", "counts"],
  dpop: ["told", "counts"],
  caFile: ["told", "where"],
};

/** Of code of the site's own. What it does is the program's. */
export const functionTreatments: Treatments<ContractFunction> = {
  name: ["told", "counts"],
  reaches: ["told", "counts"],
  // What it asks others for is capped by egress; these three spare its own host.
  timeoutMs: ["nothing", "counts"],
  memoryMb: ["nothing", "counts"],
  concurrency: ["nothing", "counts"],
  maxResponseBytes: ["told", "counts"],
  runner: ["told", "counts"],
  group: ["told", "counts"],
  // What its code makes of them it can make of constants.
  settings: ["nothing", "where"],
  everyMs: ["told", "counts"],
};

/** Of a credential. */
export const secretTreatments: Treatments<ContractSecret> = {
  name: ["told", "counts"],
  purpose: ["told", "counts"],
  uses: ["told", "counts"],
  by: ["told", "counts"],
  inject: ["told", "counts"],
  rotateEveryDays: ["told", "counts"],
};

/** Of how somebody else's service is reached. */
export const egressOriginTreatments: Treatments<ContractEgressOrigin> = {
  origin: ["told", "where"],
  network: ["told", "where"],
  caFile: ["told", "where"],
  timeoutMs: ["nothing", "where"],
  maxResponseBytes: ["told", "where"],
  maxRequestBytes: ["told", "where"],
  // With the rate, how much of a credential's use whoever takes over its user has.
  concurrency: ["told", "where"],
  rate: ["told", "where"],
};

/** Of where the vault's key comes from. The kind is told; which file or credential it is differs between hosts. */
export const vaultTreatments: Treatments<ContractVault> = {
  key: ["told", "where"],
  witnessFile: ["told", "where"],
};

/** Of the security log. Which file remembers it differs between hosts; that one does is told. */
export const ledgerTreatments: Treatments<ContractLedger> = {
  maxFileBytes: ["nothing", "where"],
  keepFiles: ["nothing", "where"],
  witnessFile: ["told", "where"],
};

/** Of where hosts count together. */
export const limitStoreTreatments: Treatments<ContractLimitStore> = {
  url: ["told", "where"],
  username: ["told", "where"],
  secret: ["told", "where"],
  caFile: ["told", "where"],
  timeoutMs: ["nothing", "where"],
  instances: ["told", "where"],
};

/** Of how the edge listens: all of it differs between hosts. */
export const edgeTreatments: Treatments<ContractEdge> = {
  addresses: ["nothing", "where"],
  port: ["nothing", "where"],
  redirectPort: ["nothing", "where"],
  threads: ["nothing", "where"],
  certificate: ["nothing", "where"],
  maxClients: ["nothing", "where"],
  proxies: ["told", "where"],
  // Without it the server finds out by itself, and refuses to guess.
  deniesProxies: ["nothing", "where"],
  ipv6Prefix: ["told", "where"],
};

/** Of a site that Curtainwall builds. What may run in its pages is the program's and the scripts' (decisions 037 and 041). */
export const siteTreatments: Treatments<ContractSite> = {
  content: ["nothing", "where"],
  templates: ["nothing", "where"],
  assets: ["nothing", "where"],
  collections: ["nothing", "where"],
  redirects: ["nothing", "where"],
  feeds: ["nothing", "where"],
  lists: ["nothing", "where"],
  tags: ["nothing", "where"],
  locales: ["nothing", "where"],
  images: ["nothing", "where"],
  sources: ["told", "where"],
};

/** Of a site that another generator builds. */
export const foreignSiteTreatments: Treatments<ContractForeignSite> = {
  dist: ["nothing", "where"],
  build: ["told", "where"],
  learned: ["nothing", "where"],
  // Among the weakenings.
  insecureEval: ["nothing", "where"],
  allowScripts: ["told", "where"],
};

/** Of the contract itself. */
export const contractTreatments: Treatments<Contract> = {
  origin: ["nothing", "where"],
  site: ["told", "where"],
  identity: ["told", "counts"],
  apiKeys: ["told", "counts"],
  sessions: ["told", "counts"],
  upstreams: ["told", "counts"],
  functions: ["told", "counts"],
  secrets: ["told", "counts"],
  egressOrigins: ["told", "where"],
  vault: ["told", "where"],
  // Among the weakenings.
  allowsReducedIsolation: ["nothing", "where"],
  corsOrigins: ["told", "where"],
  edge: ["told", "where"],
  budgets: ["told", "counts"],
  limitStore: ["told", "where"],
  ledger: ["told", "where"],
  reports: ["nothing", "where"],
  keys: ["told", "where"],
  environment: ["told", "where"],
  leaks: ["told", "where"],
  routes: ["told", "counts"],
  // Made of the routes.
  apiRoots: ["nothing", "where"],
  // What they weaken is in the routes.
  weakenings: ["told", "where"],
};
