import { randomBytes } from "node:crypto";
import { flushCompileCache } from "node:module";
import { Worker } from "node:worker_threads";
import type { Release, SecurityEvent } from "../../contract/index.ts";
import {
  createGateMemory,
  createLimitMemory,
  createProofMemory,
  createRevocationMemory,
  openRevocations,
} from "../../gateway/index.ts";
import { createEventQueue } from "../../ledger/node.ts";
import { CurtainwallError } from "../../shared/index.ts";
import { openDomainControl } from "../processes/control.ts";
import type { EdgeConfiguration, FromDomain, ToEdge } from "../processes/messages.ts";
import type { RevokedTokens } from "../edge/revoked-tokens.ts";
import { becomeUser } from "./become.ts";
import { reasonOf } from "./reason.ts";
import { openReleaseIntake } from "./release-intake.ts";
import type { ReleaseAnnouncement, ReleaseIntake } from "./release-intake.ts";
import type { FromThread, ThreadConfiguration, ToThread } from "./thread-messages.ts";

// The edge's process. This thread starts a thread a core and gives up its rights once all have loaded; only then it reads a release,
// checks it, and lets them listen: neither a release nor a request is read by root. Afterwards it hands events to the ledger.

const control = openDomainControl<ToEdge, FromDomain>();
const threads: Worker[] = [];
let stopping = false;

/** Releases are taken one after another, the first once the threads have loaded. */
let turn: Promise<void> = Promise.resolve();
let intake: ReleaseIntake | undefined;
let isServing = false;

control.onMessage((message) => {
  if (message.type === "configure") turn = load(message).catch(fail);
  else if (message.type === "release") turn = turn.then(() => takeRelease(message));
  else if (message.type === "revocations") revoke(message);
  else if (message.type === "api-keys") replaceApiKeys(message.list);
  else if (message.type === "upstream-certificates") replaceUpstreamCertificates(message.certificates);
  else if (message.type === "certificate")
    tellThreads({ type: "certificate", certificate: message.certificate });
  else stop(message.graceMs);
});
// A terminal's Ctrl-C goes to every process; the supervisor decides when this one ends.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => stop(5000));

/** In memory that all threads share: what is written here is every thread's at once. */
const revocations = createRevocationMemory();
const revoked = openRevocations(revocations);

/** Needs no turn: it holds from now on, for a thread that is started later too. */
function revoke({ everyone, subjects }: Pick<RevokedTokens, "everyone" | "subjects">): void {
  for (const [subject, until] of Object.entries(subjects)) revoked.revoke(subject, until);
  if (everyone > 0) revoked.revokeAll(everyone);
}

async function load(configuration: EdgeConfiguration): Promise<void> {
  const limits = createLimitMemory({ maxClients: configuration.maxClients });
  const gates = createGateMemory({ ...configuration.gateSpace, threads: configuration.threads.length });
  const events = createEventQueue({ fd: configuration.eventsFd, source: "edge" });
  const ticketKeys = new Uint8Array(randomBytes(48));
  const { proofSeconds: windowSeconds } = configuration;
  const proofs = windowSeconds === undefined ? undefined : createProofMemory({ windowSeconds });
  const shared = { limits, gates, revocations, proofs, ticketKeys };
  await Promise.all(
    configuration.threads.map((sockets, thread) =>
      startThread({ ...configuration, ...shared, sockets, thread }, events.send),
    ),
  );
  flushCompileCache();
  becomeUser(configuration.user);
  intake = openReleaseIntake(configuration);
}

/** In the order of what was asked: a thread that is started meanwhile has the list of its start, and then this one. */
function replaceApiKeys(list: string | undefined): void {
  turn = turn.then(() => tellThreads({ type: "api-keys", list }));
}

function replaceUpstreamCertificates(certificates: EdgeConfiguration["upstreamCertificates"]): void {
  turn = turn.then(() => tellThreads({ type: "upstream-certificates", certificates }));
}

/** The first release lets the edge listen; every other replaces the one before, unless it is refused. */
async function takeRelease(announcement: ReleaseAnnouncement): Promise<void> {
  if (intake === undefined) return;
  try {
    const { release, accepted } = await intake.take(announcement);
    await replaceRelease(release);
    if (isServing) return control.send({ type: "release-accepted", release: accepted });
    await Promise.all(threads.map((thread) => ask(thread, { type: "listen" }, "listening")));
    isServing = true;
    control.send({ type: "ready", release: accepted });
  } catch (error) {
    if (isServing) control.send({ type: "release-refused", ...reasonOf(error) });
    else fail(error);
  }
}

async function replaceRelease(release: Release): Promise<void> {
  const answers = await Promise.all(
    threads.map((thread) => ask(thread, { type: "release", release }, "released")),
  );
  const refused = answers
    .map((answer) => (answer.type === "released" ? answer.refused : undefined))
    .find(Boolean);
  if (refused === undefined) return;
  const { code, message, hint } = refused;
  throw new CurtainwallError(code, message, hint === undefined ? {} : { hint });
}

async function startThread(
  configuration: ThreadConfiguration,
  onEvent: (event: SecurityEvent) => void,
): Promise<void> {
  const file = new URL(
    import.meta.url.endsWith(".ts") ? "./edge-thread.ts" : "./edge-thread.js",
    import.meta.url,
  );
  const thread = new Worker(file, { workerData: configuration, name: `edge-${threads.length}` });
  threads.push(thread);
  thread.on("message", (message: FromThread) => {
    if (message.type === "events") {
      for (const event of message.events) onEvent(event);
      tell(thread, { type: "taken", count: message.events.length });
    }
    if (message.type === "failed") control.send(message);
  });
  thread.on("error", (error) => {
    console.error(error);
    process.exit(1);
  });
  thread.on("exit", () => {
    if (!stopping) process.exit(1);
  });
  await heard(thread, "loaded");
}

function ask(thread: Worker, message: ToThread, answer: FromThread["type"]): Promise<FromThread> {
  const answered = heard(thread, answer);
  thread.postMessage(message);
  return answered;
}

function heard(thread: Worker, type: FromThread["type"]): Promise<FromThread> {
  return new Promise((resolve) => {
    const listener = (message: FromThread): void => {
      if (message.type !== type) return;
      thread.off("message", listener);
      resolve(message);
    };
    thread.on("message", listener);
  });
}

const tell = (thread: Worker, message: ToThread): void => thread.postMessage(message);

function tellThreads(message: ToThread): void {
  for (const thread of threads) tell(thread, message);
}

function stop(graceMs: number): void {
  if (stopping) return;
  stopping = true;
  // A thread that does not end in time ends with the process.
  setTimeout(() => process.exit(0), graceMs + 1000).unref();
  Promise.all(threads.map((thread) => ask(thread, { type: "stop", graceMs }, "stopped")))
    .then(() => process.exit(0))
    .catch(() => process.exit(1));
}

function fail(error: unknown): void {
  control.send({ type: "failed", ...reasonOf(error) });
}
