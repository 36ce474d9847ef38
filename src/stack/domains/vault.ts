import { Socket } from "node:net";
import { createEventQueue } from "../../ledger/node.ts";
import type { Vault } from "../../vault/index.ts";
import { prepareExport } from "../../vault/node.ts";
import { openDomainControl } from "../processes/control.ts";
import type { FromDomain, ToVault } from "../processes/messages.ts";
import { openStore } from "../vault/open-store.ts";
import { serveAdmin } from "../vault/serve-admin.ts";
import { serveValues } from "../vault/serve-values.ts";
import { signLogOf } from "../vault/sign-log.ts";
import { watchStore } from "../vault/watch-store.ts";
import { reasonOf } from "./reason.ts";

// The vault's process: the only one that opens the store or has its key. It reads nothing of the site's, and nothing from outside. Started
// by a stack it gives egress the values that the contract declares; started by a command it does what that asks, and ends with it.

const control = openDomainControl<ToVault, FromDomain>();
let stop: () => void = () => process.exit(0);
/** Of a vault that a command started nothing is signed so. */
let signLog: (message: SignLog) => void = () => undefined;

control.onMessage((message) => {
  if (message.type === "stop") return stop();
  if (message.type === "sign-log") return signLog(message);
  const begin = message.type === "configure" ? serve(message) : administer(message);
  begin.then(
    (ready) => control.send({ type: "ready", ...ready }),
    (error: unknown) => control.send({ type: "failed", ...reasonOf(error) }),
  );
});
// A terminal's Ctrl-C goes to every process; who started this one decides when it ends.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => stop());

type SignLog = Extract<ToVault, { type: "sign-log" }>;

/** What it says of itself once it works. */
type Ready = Pick<Extract<FromDomain, { type: "ready" }>, "unset" | "storeFiles">;

async function serve(configuration: Extract<ToVault, { type: "configure" }>): Promise<Ready> {
  const { eventsFd, listeners, secrets, mayCreate } = configuration;
  const queue = createEventQueue({ fd: eventsFd, source: "vault" });
  const events = queue.send;
  const { vault, files } = await openStore(configuration, { mayCreate });
  const servers = listeners.map(({ fd }) => serveValues({ vault, fd, secrets, events }));
  const unwatch = watchStore({
    vault,
    events,
    onChange: (names) => {
      for (const server of servers) server.changed(names);
    },
    onError: (error) => {
      console.error(`${reasonOf(error).code} ${reasonOf(error).message}`);
      process.exit(1);
    },
  });
  events({
    type: "vault.opened",
    time: Date.now(),
    environment: vault.environment,
    generation: vault.generation(),
  });
  signLog = (message) => control.send({ number: message.number, ...answerTo(vault, message) });
  stop = () => {
    unwatch();
    for (const server of servers) server.close();
    vault.close();
    void queue.flush(1000).finally(() => process.exit(0));
  };
  const set = new Set(vault.list().flatMap(({ name, current }) => (current === undefined ? [] : [name])));
  // Asked for its generation it would have said that another store lies there by now: `files` are those that are open.
  const unset = secrets.flatMap(({ name }) => (set.has(name) ? [] : [name]));
  return { unset, storeFiles: files };
}

type Signed =
  | Pick<Extract<FromDomain, { type: "log-signed" }>, "type" | "checkpoint" | "begunAfter" | "behind">
  | Pick<Extract<FromDomain, { type: "log-unseen" }>, "type" | "last" | "key">
  | Pick<Extract<FromDomain, { type: "log-refused" }>, "type" | "reason">;

/** A store that can't be written to signs nothing: what is signed is remembered there first. */
function answerTo(vault: Vault, asked: SignLog): Signed {
  try {
    const signed = signLogOf(vault, asked);
    if (typeof signed === "string") return { type: "log-refused", reason: signed };
    if ("unseen" in signed) return { type: "log-unseen", last: signed.unseen, key: signed.key };
    return { type: "log-signed", ...signed };
  } catch (error) {
    return { type: "log-refused", reason: reasonOf(error).message };
  }
}

async function administer(configuration: Extract<ToVault, { type: "administer" }>): Promise<Ready> {
  const { adminFd, mayCreate, exchanges } = configuration;
  if (exchanges) await prepareExport();
  const store = await openStore(configuration, { mayCreate });
  stop = () => {
    store.vault.close();
    process.exit(0);
  };
  serveAdmin(store, new Socket({ fd: adminFd, readable: true, writable: true }));
  return {};
}
