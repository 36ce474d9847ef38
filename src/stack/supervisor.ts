import { chownSync, closeSync, mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { relative } from "node:path";
import { clearTimeout, setTimeout } from "node:timers";
import { assertEnvironment } from "../contract/index.ts";
import type { AcceptedRelease, EventSink } from "../contract/index.ts";
import { createEventQueue } from "../ledger/node.ts";
import type { EventQueue } from "../ledger/node.ts";
import { openReleaseStore } from "../release/node.ts";
import type { StoredRelease } from "../release/node.ts";
import { CurtainwallError } from "../shared/index.ts";
import { loadAssertionKey } from "./assertion-key.ts";
import { readApiKeys, watchApiKeys } from "./api-keys.ts";
import { loadCertificate, readPem, watchCertificate } from "./certificate.ts";
import type { StackCertificate } from "./certificate.ts";
import { codeCacheFolder } from "./code-cache.ts";
import { edgeSiteOf } from "./edge-site.ts";
import { edgeView } from "./edge-view.ts";
import { openEventsPipe } from "./events-pipe.ts";
import { assertStateUsable, makeStateFolder, stackFolders } from "./folders.ts";
import type { StackFolders } from "./folders.ts";
import { domainUser, findIsolation } from "./isolation.ts";
import type { DomainName, Isolation, SandboxView } from "./isolation.ts";
import { domainReady, firstInheritedFd, launchDomain } from "./launch.ts";
import type { DomainProcess } from "./launch.ts";
import { readLimitStoreSecrets, roomForGates } from "./limit-store.ts";
import { openListeners } from "./listeners.ts";
import type { Listeners } from "./listeners.ts";
import { loadContract } from "./load-contract.ts";
import type { LoadedContract } from "./load-contract.ts";
import { lockName } from "./lock-name.ts";
import type { DomainUser, EdgeConfiguration, ToEdge, ToLedger } from "./messages.ts";
import { assertPermitted } from "./permitted.ts";
import { openReleaseFeed } from "./release-feed.ts";
import type { ReleaseFeed } from "./release-feed.ts";
import { readUpstreamCertificates, watchUpstreamCertificates } from "./upstream-certificates.ts";

/** Something that an operator may want to read. */
export interface StackLogEntry {
  readonly from: DomainName | "supervisor";
  readonly level: "info" | "warning" | "error";
  readonly message: string;
}

/** Options of {@link startStack}. */
export interface StartOptions {
  /** The folder that holds the contract, or its file. Default: here. */
  path?: string;
  /** Gets the one log of all domains. Default: one line each on stderr. */
  log?: (entry: StackLogEntry) => void;
  /** Isolation to use instead of the strongest that the machine offers. For tests of the weaker ones. */
  isolation?: Isolation;
  /** Serves only what the lock says that somebody approved; what a first run recorded is not enough. Default false. */
  frozen?: boolean;
  /** How long requests in flight may take when the stack stops, in milliseconds. Default 5 000. */
  graceMs?: number;
}

/** A running stack. */
export interface RunningStack {
  readonly origin: string;
  /** Where it listens, with the port that was chosen if the contract left it open. */
  readonly addresses: readonly string[];
  readonly port: number;
  readonly redirectPort: number | undefined;
  readonly isolation: Isolation;
  readonly folders: StackFolders;
  /** The development authority's certificate; undefined when the certificate comes from files. */
  readonly caFile: string | undefined;
  /** Process ids by domain, at this moment. */
  pids(): Readonly<Record<DomainName, number>>;
  /** Reads the certificate's files again. */
  reloadCertificate(): Promise<void>;
  /** Stops: no new connections, requests in flight finish, events reach the log. */
  close(): Promise<void>;
}

/** How often a running stack looks for a release that was published meanwhile. */
const releaseCheckMs = 500;
const firstDelayMs = 100;
const longestDelayMs = 10_000;
/** A domain that ran this long has recovered: its next end starts from the shortest delay again. */
const recoveredAfterMs = 60_000;

const toStderr = ({ from, level, message }: StackLogEntry): void =>
  void process.stderr.write(`${new Date().toISOString()} ${from} ${level}: ${message}\n`);

/**
 * Starts a site: the ledger, then the edge, each in its own trust domain, and keeps them running.
 *
 * @throws {CurtainwallError} what `loadContract` throws; `CONTRACT_ENVIRONMENT_INVALID`; `STACK_PERMISSION_UNAPPROVED`, `CONTRACT_LOCK_INVALID`; `STACK_RELEASE_MISSING`, `STACK_PORT_IN_USE`,
 *   `STACK_STATE_FOREIGN`, `STACK_CERTIFICATE_MISSING`, `STACK_CERTIFICATE_INVALID`, `STACK_FILE_UNREADABLE`; what a domain reports while it starts, `RELEASE_DIGEST_MISMATCH` for one
 */
export async function startStack({
  path = ".",
  log = toStderr,
  isolation = findIsolation(),
  frozen = false,
  graceMs = 5000,
}: StartOptions = {}): Promise<RunningStack> {
  const loaded = await loadContract(path);
  assertEnvironment(loaded.contract, process.env);
  const { firstRun } = assertPermitted(loaded, { frozen, not: "served" });
  if (firstRun)
    log({
      from: "supervisor",
      level: "warning",
      message: `${lockName} says nothing of the contract, so that nobody is told when it permits more: npx curtainwall plan`,
    });
  const folders = stackFolders(loaded.root);
  if (openReleaseStore(folders.releases).current() === undefined) {
    throw new CurtainwallError("STACK_RELEASE_MISSING", "There is no release to serve.", {
      hint: `Build it first:  npx curtainwall build${folderArgument(loaded.root)}`,
    });
  }
  assertStateUsable(folders, "start");
  const supervisor = new Supervisor(loaded, { log, isolation, graceMs, folders });
  try {
    await supervisor.start();
  } catch (error) {
    await supervisor.close("it could not start");
    throw error;
  }
  return supervisor.running();
}

/** A folder as it is written after a command: nothing for the present one. */
function folderArgument(root: string): string {
  const path = relative(process.cwd(), root);
  return path === "" ? "" : ` ${path}`;
}

interface Surroundings extends Required<Pick<StartOptions, "log" | "isolation" | "graceMs">> {
  folders: StackFolders;
}

/** A domain's process and what is needed to start it again. */
interface Kept<To> {
  process: DomainProcess<To>;
  startedAt: number;
  failures: number;
}

class Supervisor {
  readonly #loaded: LoadedContract;
  readonly #with: Surroundings;
  readonly #edgePipe = openEventsPipe();
  readonly #ownPipe = openEventsPipe();
  readonly #queue: EventQueue;
  readonly #events: EventSink;
  #certificate: StackCertificate | undefined;
  #unwatch: () => void = () => undefined;
  #ledger: Kept<ToLedger> | undefined;
  /** Of the first start; later ones don't wait for each other. */
  #ledgerReady: Promise<void> = Promise.resolve();
  #edge: Kept<ToEdge> | undefined;
  #addresses: readonly string[] = [];
  #port = 0;
  #feed: ReleaseFeed | undefined;
  #release: AcceptedRelease | undefined;
  /** Ends the handing over that is under way. */
  #taken: () => void = () => undefined;
  #redirectPort: number | undefined;
  #retries = new Set<NodeJS.Timeout>();
  #closing: Promise<void> | undefined;

  constructor(loaded: LoadedContract, surroundings: Surroundings) {
    this.#loaded = loaded;
    this.#with = surroundings;
    this.#queue = createEventQueue({ fd: this.#ownPipe.writeFd, source: "supervisor" });
    this.#events = this.#queue.send;
    this.#port = loaded.contract.edge.port;
  }

  async start(): Promise<void> {
    const { contract } = this.#loaded;
    const { isolation, folders } = this.#with;
    makeStateFolder(folders);
    this.#certificate = await loadCertificate(contract, folders);
    if (isolation === "reduced") {
      this.#warn(
        "REDUCED ISOLATION: neither root nor bwrap, so the edge and the ledger run as one user, and whoever breaks into one can read the other. Install bubblewrap, or start as root.",
      );
    }
    for (const { at, reason } of contract.weakenings) {
      this.#warn(`the contract weakens a default: ${at}: ${reason}`);
      this.#events({ type: "stack.weakened", time: Date.now(), option: at, reason });
    }
    this.#feed = await openReleaseFeed(this.#loaded, folders);
    if (this.#feed.isDevelopment) {
      this.#warn(
        "DEVELOPMENT KEYS: releases are signed with keys that lie beside them, so whoever can write there can sign. Make a program key elsewhere and pin both:  npx curtainwall key new --help",
      );
    }
    // Both load at once; the edge is given its work only when the ledger takes events.
    this.#ledgerReady = this.#startLedger(0);
    this.#ledgerReady.catch(() => undefined);
    await this.#startEdge(0);
    this.#watch();
    this.#events({ type: "stack.started", time: Date.now(), isolation, release: this.#release?.digest });
  }

  running(): RunningStack {
    return {
      origin: this.#loaded.contract.origin,
      addresses: this.#addresses,
      port: this.#port,
      redirectPort: this.#redirectPort,
      isolation: this.#with.isolation,
      folders: this.#with.folders,
      caFile: this.#certificate?.caFile,
      pids: () => ({ edge: this.#edge?.process.pid ?? 0, ledger: this.#ledger?.process.pid ?? 0 }),
      reloadCertificate: () => this.reloadCertificate(),
      close: () => this.close("it was asked to"),
    };
  }

  async reloadCertificate(): Promise<void> {
    try {
      const fresh = await loadCertificate(this.#loaded.contract, this.#with.folders);
      if (fresh.fingerprint === this.#certificate?.fingerprint) return;
      this.#certificate = fresh;
      this.#edge?.process.control.send({ type: "certificate", certificate: fresh.pair });
      this.#events({ type: "stack.certificate.replaced", time: Date.now(), fingerprint: fresh.fingerprint });
      this.#log("supervisor", "info", "the certificate was replaced");
    } catch (error) {
      // While a tool writes the two files they may not match for a moment: the old pair stays.
      this.#warn(`the certificate was not replaced: ${(error as Error).message}`);
    }
  }

  /** Looks for a newer certificate or release from time to time. */
  #watch(): void {
    const { contract } = this.#loaded;
    const unwatchCertificate = watchCertificate(
      contract,
      this.#with.folders,
      () => void this.reloadCertificate(),
    );
    const unwatchKeys = watchApiKeys(this.#loaded, (list) =>
      this.#edge?.process.control.send({ type: "api-keys", list }),
    );
    const unwatchUpstreams = watchUpstreamCertificates(
      this.#loaded,
      (certificates) => this.#edge?.process.control.send({ type: "upstream-certificates", certificates }),
      (message) => this.#warn(`an upstream's certificate was not replaced: ${message}`),
    );
    let looking = Promise.resolve();
    const timer = setInterval(() => (looking = looking.then(() => this.#takeNewRelease())), releaseCheckMs);
    timer.unref();
    this.#unwatch = () => {
      unwatchCertificate();
      unwatchKeys();
      unwatchUpstreams();
      clearInterval(timer);
    };
  }

  /** Hands a release that was published meanwhile to the edge, and waits for its decision. */
  async #takeNewRelease(): Promise<void> {
    const edge = this.#edge?.process;
    const release = this.#feed?.next();
    if (release === undefined || edge?.pipe === undefined || this.#closing !== undefined) return;
    const { sequence } = release;
    const decided = new Promise<void>((resolve) => (this.#taken = resolve));
    edge.control.onMessage((message) => {
      if (message.type === "release-accepted") this.#served(message.release);
      if (message.type === "release-refused")
        this.#refused(release, { ...message, message: withContractOfStart(message) });
      this.#taken();
    });
    try {
      await this.#feed?.send({ control: edge.control, pipe: edge.pipe }, release);
      // An edge that ends meanwhile is started again, with the newest release.
      await Promise.race([decided, edge.exited]);
    } catch (error) {
      this.#warn(`release ${sequence} could not be handed over: ${(error as Error).message}`);
    }
  }

  #served(release: AcceptedRelease): void {
    const isNew = release.sequence !== this.#release?.sequence;
    this.#release = release;
    this.#feed?.remember(release);
    if (!isNew) return;
    const { sequence, digest } = release;
    this.#events({ type: "stack.release.accepted", time: Date.now(), release: digest, sequence });
    this.#log("supervisor", "info", `release ${sequence} (${digest.slice(0, 12)}) is served`);
  }

  #refused({ sequence, digest }: StoredRelease, { code, message }: { code: string; message: string }): void {
    this.#events({
      type: "stack.release.refused",
      time: Date.now(),
      release: digest,
      sequence,
      code,
      reason: message,
    });
    this.#log(
      "supervisor",
      "error",
      `release ${sequence} is refused, the one before stays: ${code}: ${message}`,
    );
  }

  close(reason: string): Promise<void> {
    return (this.#closing ??= this.#close(reason));
  }

  async #close(reason: string): Promise<void> {
    this.#unwatch();
    for (const retry of this.#retries) clearTimeout(retry);
    const { graceMs } = this.#with;
    await this.#stop(this.#edge, { type: "stop", graceMs }, graceMs + 2000);
    this.#events({ type: "stack.stopped", time: Date.now(), reason });
    await this.#queue.flush(1000);
    await this.#stop(this.#ledger, { type: "stop" }, 5000);
    this.#queue.close();
    for (const fd of [this.#edgePipe.readFd, this.#edgePipe.writeFd, this.#ownPipe.readFd]) closeSync(fd);
  }

  async #stop<To extends { type: string }>(
    kept: Kept<To> | undefined,
    message: To,
    timeoutMs: number,
  ): Promise<void> {
    if (kept === undefined) return;
    kept.process.control.send(message);
    const timer = setTimeout(() => kept.process.kill(), timeoutMs);
    await kept.process.exited;
    clearTimeout(timer);
  }

  async #startLedger(failures: number): Promise<void> {
    const { folders } = this.#with;
    const user = this.#userOf("ledger");
    makeStateFolder(folders);
    mkdirSync(folders.ledger, { recursive: true, mode: 0o700 });
    // The folder lies in one that is ours, so nobody can have put a link in its place; what is in it is the ledger's to touch.
    if (user !== undefined) chownSync(folders.ledger, user.uid, user.gid);
    const process_ = this.#launch<ToLedger>("ledger", [this.#edgePipe.readFd, this.#ownPipe.readFd], {
      readOnly: [],
      writable: [folders.ledger],
      hidden: [],
      masked: [],
      network: false,
    });
    this.#ledger = { process: process_, startedAt: Date.now(), failures };
    process_.control.send({
      type: "configure",
      file: folders.logFile,
      keep: this.#loaded.contract.ledger,
      sources: [
        { name: "edge", fd: firstInheritedFd },
        { name: "supervisor", fd: firstInheritedFd + 1 },
      ],
      user,
    });
    await this.#ready("ledger", process_);
    this.#keep("ledger", this.#ledger, (attempt) => this.#startLedger(attempt));
  }

  /** Starts the edge with the newest release; if that is refused, with the one that was served last. */
  async #startEdge(failures: number): Promise<void> {
    const candidates = this.#feed?.candidates() ?? [];
    for (const [index, release] of candidates.entries()) {
      try {
        return await this.#startEdgeWith(release, failures);
      } catch (error) {
        const { code = "", message } = error as Error & { code?: string };
        const isRefusal = /^(?:RELEASE|EDGE_RELEASE)_/.test(code);
        if (isRefusal) this.#refused(release, { code, message });
        if (!isRefusal || index === candidates.length - 1) throw error;
      }
    }
    throw new CurtainwallError("STACK_RELEASE_MISSING", "There is no release to serve any more.", {
      hint: "Build it:  npx curtainwall build",
    });
  }

  async #startEdgeWith(release: StoredRelease, failures: number): Promise<void> {
    const { contract, file, root } = this.#loaded;
    const { folders } = this.#with;
    const threads = contract.edge.threads ?? availableParallelism();
    const assertionKey = await loadAssertionKey(folders);
    const upstreamAuthorities = Object.fromEntries(
      [...contract.upstreams.values()].flatMap(({ name, caFile }) =>
        caFile === undefined ? [] : [[name, readPem(root, caFile) ?? ""]],
      ),
    );
    const upstreamCertificates = readUpstreamCertificates(contract, root);
    const issuerAuthority = readPem(root, contract.identity?.caFile);
    const redirectPort = contract.edge.redirectPort;
    const https = await openListeners({ addresses: contract.edge.addresses, port: this.#port, threads });
    const redirect =
      redirectPort === false
        ? undefined
        : await openListeners({ addresses: contract.edge.addresses, port: redirectPort, threads: 1 });
    const sockets = inheritedSockets(https, redirect);
    const process_ = this.#launch<ToEdge>(
      "edge",
      [this.#edgePipe.writeFd, "pipe", ...sockets.fds],
      edgeView(this.#loaded),
    );
    https.close();
    redirect?.close();
    this.#port = https.port;
    this.#redirectPort = redirect?.port;
    this.#addresses = https.addresses;
    this.#edge = { process: process_, startedAt: Date.now(), failures };
    const configuration: EdgeConfiguration = {
      contractFile: file,
      site: edgeSiteOf(contract),
      certificate: (this.#certificate as StackCertificate).pair,
      upstreamAuthorities,
      upstreamCertificates,
      issuerAuthority,
      apiKeys: readApiKeys(contract, root),
      assertionKey,
      user: this.#userOf("edge"),
      eventsFd: firstInheritedFd,
      releaseFd: firstInheritedFd + 1,
      acceptance: (this.#feed as ReleaseFeed).acceptance,
      threads: sockets.threads,
      maxClients: contract.edge.maxClients,
      gateSpace: roomForGates(contract),
      limitStore: readLimitStoreSecrets(contract, root, process.env),
    };
    await this.#ledgerReady.catch(async (error: unknown) => {
      process_.kill();
      await process_.exited;
      throw error;
    });
    process_.control.send({ type: "configure", ...configuration });
    const { control, pipe } = process_;
    // What goes wrong while it is sent shows in what the edge says, or in that it ends.
    if (pipe !== undefined) void this.#feed?.send({ control, pipe }, release).catch(() => process_.kill());
    const ready = await this.#ready("edge", process_);
    if (ready.release !== undefined) this.#served(ready.release);
    this.#keep("edge", this.#edge, (attempt) => this.#startEdge(attempt));
  }

  /** Waits for a domain; one that does not come up is ended, since it still holds its sockets and its rights. */
  async #ready<To extends { type: string }>(
    domain: DomainName,
    process_: DomainProcess<To>,
  ): ReturnType<typeof domainReady> {
    try {
      const ready = await domainReady(domain, process_);
      if (this.#closing !== undefined)
        throw new CurtainwallError("STACK_DOMAIN_FAILED", "The stack is being stopped.");
      return ready;
    } catch (error) {
      process_.kill();
      await process_.exited;
      throw error;
    }
  }

  #launch<To extends { type: string }>(
    domain: DomainName,
    fds: readonly (number | "pipe")[],
    view: SandboxView,
  ): DomainProcess<To> {
    const environment = Object.fromEntries(
      this.#loaded.environment.map((name) => [name, process.env[name] ?? ""]),
    );
    return launchDomain<To>({
      domain,
      isolation: this.#with.isolation,
      fds,
      view,
      environment: domain === "edge" ? environment : {},
      codeCache: codeCacheFolder(this.#with.folders, this.#with.isolation),
      onLine: (line) => this.#log(domain, "error", line),
    });
  }

  /** Starts a domain again when it ends, later each time. */
  #keep<To>(domain: DomainName, kept: Kept<To>, restart: (failures: number) => Promise<void>): void {
    void kept.process.exited.then((how) => {
      if (this.#closing !== undefined) return;
      const failures = Date.now() - kept.startedAt > recoveredAfterMs ? 0 : kept.failures;
      this.#events({ type: "stack.domain.exited", time: Date.now(), domain, exit: how });
      this.#log("supervisor", "error", `the ${domain} ended (${how})`);
      this.#retry(domain, failures + 1, restart);
    });
  }

  #retry(domain: DomainName, failures: number, restart: (failures: number) => Promise<void>): void {
    const delayMs = Math.min(longestDelayMs, firstDelayMs * 2 ** (failures - 1));
    const timer = setTimeout(() => {
      this.#retries.delete(timer);
      restart(failures).then(
        () => {
          this.#events({ type: "stack.domain.restarted", time: Date.now(), domain, attempt: failures });
          this.#log("supervisor", "info", `the ${domain} runs again`);
        },
        (error: unknown) => {
          this.#log(
            "supervisor",
            "error",
            `the ${domain} could not be started again: ${(error as Error).message}`,
          );
          if (this.#closing === undefined) this.#retry(domain, failures + 1, restart);
        },
      );
    }, delayMs);
    this.#retries.add(timer);
  }

  #userOf(domain: DomainName): DomainUser | undefined {
    return this.#with.isolation === "uid" ? domainUser(domain, this.#loaded.root) : undefined;
  }

  #warn(message: string): void {
    this.#log("supervisor", "warning", message);
  }

  #log(from: StackLogEntry["from"], level: StackLogEntry["level"], message: string): void {
    this.#with.log({ from, level, message });
  }
}

/** Numbers the sockets as the edge will see them: after the control channel, the events and the release. */
function inheritedSockets(
  https: Listeners,
  redirect: Listeners | undefined,
): { fds: number[]; threads: EdgeConfiguration["threads"] } {
  const fds: number[] = [];
  const inherit = (fd: number): number => firstInheritedFd + 2 + fds.push(fd) - 1;
  const threads = https.fds.map((row, thread) => [
    ...row.map((fd) => ({ fd: inherit(fd), kind: "https" as const })),
    ...(thread === 0 ? (redirect?.fds[0] ?? []) : []).map((fd) => ({
      fd: inherit(fd),
      kind: "redirect" as const,
    })),
  ]);
  return { fds, threads };
}

/** What depends on the contract, which a stack reads once. */
const ofContract: ReadonlySet<string> = new Set([
  "RELEASE_SIGNATURE_INVALID",
  "RELEASE_CONTRACT_OTHER",
  "RELEASE_SITE_OTHER",
]);

/** Whoever pins keys, or changes a route, while the stack runs, is told why that reaches no visitor yet. */
function withContractOfStart({ code, message }: { code: string; message: string }): string {
  return ofContract.has(code)
    ? `${message} This stack goes by the contract as it was when it started: if keys, routes or the origin have changed since, start it again.`
    : message;
}
