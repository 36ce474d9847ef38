import { closeSync } from "node:fs";
import { createEventQueue } from "../../ledger/node.ts";
import type { EventQueue } from "../../ledger/node.ts";
import type { StoredRelease } from "../../release/node.ts";
import { CurtainwallError } from "../../shared/index.ts";
import { watchApiKeys } from "../api-keys.ts";
import { loadCertificate, watchCertificate } from "../certificate.ts";
import type { StackCertificate } from "../certificate.ts";
import { closeEventsPipes, openEventsPipes } from "../events-pipe.ts";
import type { EventsPipe } from "../events-pipe.ts";
import { makeStateFolder } from "../folders.ts";
import type { StackFolders } from "../folders.ts";
import type { DomainName, Isolation } from "../isolation.ts";
import type { DomainProcess } from "../launch.ts";
import type { ToEdge, ToLedger } from "../messages.ts";
import type { VaultPlan } from "../vault/vault-plan.ts";
import { openReleaseFeed } from "../release-feed.ts";
import type { ReleaseFeed } from "../release-feed.ts";
import { watchUpstreamCertificates } from "../upstream-certificates.ts";
import { readRevoked, revocationMessages, watchRevoked } from "../revoked-tokens.ts";
import type { RevokedTokens } from "../revoked-tokens.ts";
import type { InnerDomains } from "./inner-domains.ts";
import { keepDomain, whenReady } from "./keep-domain.ts";
import type { KeptDomain } from "./keep-domain.ts";
import { keyInVault } from "./key-in-vault.ts";
import type { KeyInVault } from "./key-in-vault.ts";
import { launchEdge } from "./launch-edge.ts";
import { keyInFile } from "./log-key.ts";
import { createActionRecorder, serveActions } from "../operator/serve-actions.ts";
import type { ActionRecorder } from "../operator/serve-actions.ts";
import { innerDomainsOf, noInnerDomains } from "./no-inner-domains.ts";
import type { EdgePlaces } from "./launch-edge.ts";
import { serveReleases } from "./serve-releases.ts";
import type { ServedReleases } from "./serve-releases.ts";
import { startLedger } from "./start-ledger.ts";
import { say } from "./surroundings.ts";
import type { Surroundings } from "./surroundings.ts";

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
  /** Process ids by domain, at this moment; those that the contract has no work for are missing. */
  pids(): Readonly<Record<"edge" | "ledger", number> & Partial<Record<DomainName, number>>>;
  /** Process ids of groups of functions that run, by the group's name. */
  groupPids(): Readonly<Record<string, number>>;
  /** Reads the certificate's files again. */
  reloadCertificate(): Promise<void>;
  /** Looks for a release that was just published, instead of within half a second; resolves when it was taken or refused. */
  lookForRelease(): Promise<void>;
  /** Stops: no new connections, requests in flight finish, events reach the log. */
  close(): Promise<void>;
}

/** What a {@link Supervisor} is made of. */
export interface SupervisorOptions extends Omit<Surroundings, "events" | "stopping"> {
  /** How long requests in flight may take when the stack stops, in milliseconds. */
  readonly graceMs: number;
  /** Undefined: the site has no vault. */
  readonly vaultPlan: VaultPlan | undefined;
  /** Told once everything has ended. */
  readonly onClosed: () => void;
}

/** How often a running stack looks for a release that was published meanwhile. */
const releaseCheckMs = 500;

/** What there is once a stack has begun to start. */
interface Opened {
  readonly feed: ReleaseFeed;
  readonly releases: ServedReleases;
  certificate: StackCertificate;
}

/** Keeps a site's domains running, and brings them what changes. */
export class Supervisor {
  readonly #with: Surroundings;
  readonly #graceMs: number;
  /** One a domain; the first two are the edge's and the supervisor's own. */
  readonly #pipes: readonly [EventsPipe, EventsPipe, ...EventsPipe[]];
  readonly #queue: EventQueue;
  readonly #stopping = new AbortController();
  readonly #ledger: KeptDomain<ToLedger>;
  readonly #actions: ActionRecorder;
  #endActions: () => Promise<void> = () => Promise.resolve();
  readonly #vault: { readonly plan: VaultPlan; readonly key: KeyInVault } | undefined;
  readonly #onClosed: () => void;
  #inner: InnerDomains = noInnerDomains;
  readonly #edge: KeptDomain<ToEdge>;
  /** Of the first start; later ones don't wait for each other. */
  #othersReady: Promise<unknown> = Promise.resolve();
  #opened: Opened | undefined;
  #places: EdgePlaces;
  #unwatch: () => void = () => undefined;
  #look: () => Promise<void> = () => Promise.resolve();
  #closing: Promise<void> | undefined;
  /** As it was read last. */
  #revoked: RevokedTokens = { everyone: 0, subjects: {} };

  constructor({ graceMs, vaultPlan, onClosed, ...surroundings }: SupervisorOptions) {
    const [edge, own, ...inner] = openEventsPipes(["edge", "supervisor", ...innerDomainsOf(surroundings)]);
    if (edge === undefined || own === undefined) throw new Error("there are no pipes");
    this.#pipes = [edge, own, ...inner];
    this.#queue = createEventQueue({ fd: own.writeFd, source: "supervisor" });
    this.#with = { ...surroundings, events: this.#queue.send, stopping: this.#stopping.signal };
    this.#graceMs = graceMs;
    this.#onClosed = onClosed;
    this.#places = { addresses: [], port: surroundings.loaded.contract.edge.port, redirectPort: undefined };
    const { signal: stopping } = this.#stopping;
    const vaultKey = keyInVault({ stopping, onBegun: (log, before) => this.#begun(log, before) });
    const logKey = vaultPlan === undefined ? keyInFile(surroundings.folders) : vaultKey;
    this.#vault = vaultPlan === undefined ? undefined : { plan: vaultPlan, key: vaultKey };
    this.#ledger = keepDomain(this.#with, "ledger", (launched) =>
      startLedger(this.#with, { pipes: this.#pipes, key: logKey }, launched, (message) =>
        this.#actions.onMessage(message),
      ),
    );
    this.#actions = createActionRecorder(() => this.#ledger.process);
    this.#edge = keepDomain(this.#with, "edge", (launched) => this.#startEdge(launched));
  }

  async start(): Promise<void> {
    const { loaded, isolation, folders, events } = this.#with;
    const { contract } = loaded;
    makeStateFolder(folders);
    const certificate = await loadCertificate(contract, folders);
    if (isolation === "reduced") {
      this.#warn(
        "REDUCED ISOLATION: neither root nor bwrap, so the edge and the ledger run as one user, and whoever breaks into one can read the other. Install bubblewrap, or start as root.",
      );
    }
    for (const { at, reason } of contract.weakenings) {
      this.#warn(`the contract weakens a default: ${at}: ${reason}`);
      events({ type: "stack.weakened", time: Date.now(), option: at, reason });
    }
    this.#revoked = readRevoked(folders);
    const feed = await openReleaseFeed(loaded, folders);
    if (feed.isDevelopment) {
      this.#warn(
        "DEVELOPMENT KEYS: releases are signed with keys that lie beside them, so whoever can write there can sign. Make a program key elsewhere and pin both:  npx curtainwall key new --help",
      );
    }
    const releases = serveReleases(this.#with, feed);
    this.#opened = { feed, releases, certificate };
    await this.#openInner();
    // All load at once; the edge is given its work only when the ledger takes events and the others take requests.
    this.#othersReady = Promise.all([this.#ledger.start(), this.#inner.start()]);
    this.#othersReady.catch(() => undefined);
    await this.#edge.start();
    this.#watch(releases);
    await this.#takeActions();
    events({ type: "stack.started", time: Date.now(), isolation, release: releases.served?.digest });
    void this.#inner.prepare();
  }

  /** Without them a site is served all the same: what operators ask for is refused then. */
  async #takeActions(): Promise<void> {
    try {
      this.#endActions = await serveActions(this.#with.loaded.root, this.#actions);
    } catch (error) {
      this.#warn(`commands that change something will be refused: ${(error as Error).message}`);
    }
  }

  async #openInner(): Promise<void> {
    const [, , ...pipes] = this.#pipes;
    if (pipes.length === 0) return;
    const { keepInnerDomains } = await import("./inner-domains.ts");
    this.#inner = keepInnerDomains(this.#with, { pipes, vault: this.#vault });
    await this.#inner.open();
  }

  running(): RunningStack {
    const { loaded, isolation, folders } = this.#with;
    return {
      origin: loaded.contract.origin,
      ...this.#places,
      isolation,
      folders,
      caFile: this.#opened?.certificate.caFile,
      pids: () => ({
        ...this.#inner.pids(),
        edge: this.#edge.process?.pid ?? 0,
        ledger: this.#ledger.process?.pid ?? 0,
      }),
      groupPids: () => this.#inner.groupPids(),
      reloadCertificate: () => this.reloadCertificate(),
      lookForRelease: () => this.#look(),
      close: () => this.close("it was asked to"),
    };
  }

  async reloadCertificate(): Promise<void> {
    const { loaded, folders, events } = this.#with;
    try {
      const fresh = await loadCertificate(loaded.contract, folders);
      if (this.#opened === undefined || fresh.fingerprint === this.#opened.certificate.fingerprint) return;
      this.#opened.certificate = fresh;
      this.#edge.process?.control.send({ type: "certificate", certificate: fresh.pair });
      events({ type: "stack.certificate.replaced", time: Date.now(), fingerprint: fresh.fingerprint });
      say(this.#with, "info", "the certificate was replaced");
    } catch (error) {
      // While a tool writes the two files they may not match for a moment: the old pair stays.
      this.#warn(`the certificate was not replaced: ${(error as Error).message}`);
    }
  }

  close(reason: string): Promise<void> {
    return (this.#closing ??= this.#close(reason));
  }

  async #close(reason: string): Promise<void> {
    this.#stopping.abort();
    this.#unwatch();
    await this.#endActions();
    const graceMs = this.#graceMs;
    await this.#edge.stop({ type: "stop", graceMs }, graceMs + 2000);
    await this.#inner.stop(graceMs);
    this.#with.events({ type: "stack.stopped", time: Date.now(), reason });
    await this.#queue.flush(1000);
    await this.#ledger.stop({ type: "stop" }, 5000);
    await this.#inner.stopVault();
    const [edge, { readFd }, ...inner] = this.#pipes;
    closeEventsPipes([edge, ...inner]);
    // Its other end is the queue's.
    this.#queue.close();
    closeSync(readFd);
    this.#onClosed();
  }

  /** Looks for a newer certificate, list of keys or release from time to time. */
  #watch(releases: ServedReleases): void {
    const { loaded, folders } = this.#with;
    const reload = (): void => void this.reloadCertificate();
    const unwatchCertificate = watchCertificate(loaded.contract, folders, reload);
    const unwatchKeys = watchApiKeys(loaded, (list) =>
      this.#edge.process?.control.send({ type: "api-keys", list }),
    );
    const unwatchUpstreams = watchUpstreamCertificates(
      loaded,
      (certificates) => this.#edge.process?.control.send({ type: "upstream-certificates", certificates }),
      (message) => this.#warn(`an upstream's certificate was not replaced: ${message}`),
    );
    const unwatchRevoked = watchRevoked(
      folders,
      this.#revoked,
      (revoked, added) => this.#revoke(revoked, added),
      (message) => this.#warn(`what was revoked last is not known: ${message}`),
    );
    let looking = Promise.resolve();
    this.#look = () => (looking = looking.then(() => this.#handOver(releases)));
    const timer = setInterval(() => void this.#look(), releaseCheckMs);
    timer.unref();
    this.#unwatch = () => {
      unwatchCertificate();
      unwatchKeys();
      unwatchUpstreams();
      unwatchRevoked();
      clearInterval(timer);
    };
  }

  async #handOver(releases: ServedReleases): Promise<void> {
    const before = releases.served?.sequence;
    await releases.handOver(this.#edge.process);
    if (releases.served?.sequence === before) return;
    await this.#inner
      .releaseAccepted()
      .catch((error: unknown) =>
        this.#warn(`functions run the code that they had: ${(error as Error).message}`),
      );
  }

  /** The list as it is; if it was damaged meanwhile, as it was: what was revoked stays so. */
  #readRevoked(): RevokedTokens {
    try {
      this.#revoked = readRevoked(this.#with.folders);
    } catch (error) {
      this.#warn(`what was revoked last is not known: ${(error as Error).message}`);
    }
    return this.#revoked;
  }

  #revoke(revoked: RevokedTokens, added: RevokedTokens): void {
    this.#revoked = revoked;
    for (const part of revocationMessages(added))
      this.#edge.process?.control.send({ type: "revocations", ...part });
    const subjects = Object.keys(added.subjects);
    const of = added.everyone > 0 ? "everyone" : "subjects";
    this.#with.events({ type: "stack.tokens.revoked", time: Date.now(), of, subjects });
  }

  /** Starts the edge with the newest release; if that is refused, with the one that was served last. */
  async #startEdge(launched: (process: DomainProcess<ToEdge>) => void): Promise<void> {
    const opened = this.#opened;
    const candidates = opened?.feed.candidates() ?? [];
    if (opened === undefined || candidates.length === 0)
      throw new CurtainwallError("STACK_RELEASE_MISSING", "There is no release to serve any more.", {
        hint: "Build it:  npx curtainwall build",
      });
    for (const [index, release] of candidates.entries()) {
      try {
        return await this.#startEdgeWith(release, opened, launched);
      } catch (error) {
        const { code = "", message } = error as Error & { code?: string };
        const isRefusal = /^(?:RELEASE|EDGE_RELEASE)_/.test(code);
        if (isRefusal) opened.releases.refused(release, { code, message });
        if (!isRefusal || index === candidates.length - 1) throw error;
      }
    }
  }

  async #startEdgeWith(
    release: StoredRelease,
    { feed, releases, certificate }: Opened,
    launched: (process: DomainProcess<ToEdge>) => void,
  ): Promise<void> {
    const edge = await launchEdge(this.#with, {
      port: this.#places.port,
      certificate,
      acceptance: feed.acceptance,
      eventsFd: this.#pipes[0].writeFd,
      domainSockets: this.#inner.sockets,
    });
    launched(edge.process);
    this.#places = edge.places;
    const { control, pipe, exited, kill } = edge.process;
    await this.#othersReady.catch(async (error: unknown) => {
      kill();
      await exited;
      throw error;
    });
    control.send({ type: "configure", ...edge.configuration });
    // Read once the process can be told of changes: what is revoked meanwhile comes one way or the other.
    for (const part of revocationMessages(this.#readRevoked()))
      control.send({ type: "revocations", ...part });
    // What goes wrong while it is sent shows in what the edge says, or in that it ends.
    if (pipe !== undefined) void feed.send({ control, pipe }, release).catch(kill);
    const ready = await whenReady(this.#with, "edge", edge.process);
    if (ready.release !== undefined) releases.accepted(ready.release);
  }

  #begun(log: string, before: string): void {
    this.#with.events({ type: "ledger.checkpoint.begun", time: Date.now(), log, before });
    this.#warn(`another log was begun: the vault signs ${log} from now on, and signed ${before} before`);
  }

  #warn(message: string): void {
    say(this.#with, "warning", message);
  }
}
