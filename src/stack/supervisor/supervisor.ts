import { closeSync } from "node:fs";
import type { CheckpointClaim } from "../../ledger/index.ts";
import { createEventQueue } from "../../ledger/node.ts";
import type { EventQueue } from "../../ledger/node.ts";
import { closeEventsPipes, openEventsPipes } from "../log/events-pipe.ts";
import type { EventsPipe } from "../log/events-pipe.ts";
import { makeStateFolder } from "../folders.ts";
import type { StackFolders } from "../folders.ts";
import type { DomainName, Isolation } from "../isolation/isolation.ts";
import type { DomainProcess } from "../processes/launch.ts";
import type { ToEdge, ToLedger } from "../processes/messages.ts";
import type { VaultPlan } from "../vault/vault-plan.ts";
import { openReleaseFeed } from "../releases/release-feed.ts";
import type { InnerDomains } from "./inner-domains.ts";
import { followChanges } from "./follow-changes.ts";
import type { FollowedChanges } from "./follow-changes.ts";
import { keepDomain } from "./keep-domain.ts";
import type { KeptDomain } from "./keep-domain.ts";
import { keepCertificate } from "./kept-certificate.ts";
import { keepRevocations } from "./kept-revocations.ts";
import { keyInVault } from "./key-in-vault.ts";
import type { KeyInVault } from "./key-in-vault.ts";
import { keyInFile } from "./log-key.ts";
import { createActionRecorder, serveActions } from "../operator/serve-actions.ts";
import type { ActionRecorder } from "../operator/serve-actions.ts";
import { innerDomainsOf, noInnerDomains } from "./no-inner-domains.ts";
import type { EdgePlaces } from "./launch-edge.ts";
import { serveReleases } from "./serve-releases.ts";
import { startEdge } from "./start-edge.ts";
import type { EdgeStart } from "./start-edge.ts";
import { openLogSigner, startLedger } from "./start-ledger.ts";
import { say } from "./surroundings.ts";
import type { Surroundings } from "./surroundings.ts";
import { tellWeakenings } from "./tell-weakenings.ts";

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

/** What there is once a stack has begun to start. */
type Opened = Pick<EdgeStart, "feed" | "releases" | "certificate" | "revocations">;

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
  #changes: FollowedChanges | undefined;
  #closing: Promise<void> | undefined;

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
    const vaultKey = keyInVault({
      stopping,
      onBegun: (log, before) => this.#begun(log, before),
      onBehind: (checkpoint, remembered) => this.#behind(checkpoint, remembered),
    });
    const logKey = vaultPlan === undefined ? keyInFile(surroundings.folders) : vaultKey;
    this.#vault = vaultPlan === undefined ? undefined : { plan: vaultPlan, key: vaultKey };
    // One for all ledgers that follow each other: what it saw of the log is not forgotten when one of them is killed.
    const signer = openLogSigner(this.#with, logKey);
    this.#ledger = keepDomain(this.#with, "ledger", (launched) =>
      startLedger(this.#with, { pipes: this.#pipes, signer }, launched, (message) =>
        this.#actions.onMessage(message),
      ),
    );
    this.#actions = createActionRecorder(() => this.#ledger.process);
    this.#edge = keepDomain(this.#with, "edge", (launched) => this.#startEdge(launched));
  }

  async start(): Promise<void> {
    const { loaded, isolation, folders, events } = this.#with;
    makeStateFolder(folders);
    const edge = (): DomainProcess<ToEdge> | undefined => this.#edge.process;
    const certificate = await keepCertificate(this.#with, edge);
    tellWeakenings(this.#with);
    const revocations = keepRevocations(this.#with, edge);
    const feed = await openReleaseFeed(loaded, folders);
    if (feed.isDevelopment) {
      this.#warn(
        "DEVELOPMENT KEYS: releases are signed with keys that lie beside them, so whoever can write there can sign. Make a program key elsewhere and pin both:  npx curtainwall key new --help",
      );
    }
    const releases = serveReleases(this.#with, feed);
    this.#opened = { feed, releases, certificate, revocations };
    await this.#openInner();
    // All load at once; the edge is given its work only when the ledger takes events and the others take requests.
    this.#othersReady = Promise.all([this.#ledger.start(), this.#inner.start()]);
    this.#othersReady.catch(() => undefined);
    await this.#edge.start();
    this.#changes = followChanges(this.#with, {
      edge,
      certificate,
      revocations,
      releases,
      onRelease: () => this.#inner.releaseAccepted(),
    });
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
      caFile: this.#opened?.certificate.current().caFile,
      pids: () => ({
        ...this.#inner.pids(),
        edge: this.#edge.process?.pid ?? 0,
        ledger: this.#ledger.process?.pid ?? 0,
      }),
      groupPids: () => this.#inner.groupPids(),
      reloadCertificate: async () => this.#opened?.certificate.reload(),
      lookForRelease: async () => this.#changes?.lookForRelease(),
      close: () => this.close("it was asked to"),
    };
  }

  close(reason: string): Promise<void> {
    return (this.#closing ??= this.#close(reason));
  }

  async #close(reason: string): Promise<void> {
    this.#stopping.abort();
    this.#changes?.end();
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

  async #startEdge(launched: (process: DomainProcess<ToEdge>) => void): Promise<void> {
    if (this.#opened === undefined) throw new Error("there is nothing to serve yet");
    await startEdge(this.#with, {
      ...this.#opened,
      port: this.#places.port,
      eventsFd: this.#pipes[0].writeFd,
      domainSockets: this.#inner.sockets,
      othersReady: this.#othersReady,
      launched: (process, places) => {
        launched(process);
        this.#places = places;
      },
    });
  }

  #begun(log: string, before: string): void {
    this.#with.events({ type: "ledger.checkpoint.begun", time: Date.now(), log, before });
    this.#warn(`another log was begun: the vault signs ${log} from now on, and signed ${before} before`);
  }

  #behind({ log, through }: CheckpointClaim, remembered: number): void {
    this.#with.events({ type: "ledger.checkpoint.behind", time: Date.now(), log, through, remembered });
    this.#warn(
      `the vault's store is an older copy: it remembered the log up to record ${remembered}, and its key signed more of it. What was signed after a checkpoint that you have elsewhere is told by:  npx curtainwall log verify --checkpoint <file>`,
    );
  }

  #warn(message: string): void {
    say(this.#with, "warning", message);
  }
}
