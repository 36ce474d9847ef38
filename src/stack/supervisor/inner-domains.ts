import { functionGroups } from "../functions/function-groups.ts";
import type { EventsPipe } from "../log/events-pipe.ts";
import type { DomainName } from "../isolation/isolation.ts";
import type { DomainSockets, ToEgress, ToFunctions, ToVault } from "../processes/messages.ts";
import type { VaultPlan } from "../vault/vault-plan.ts";
import { openDomainSockets, socketsOfEdge } from "./domain-sockets.ts";
import type { OpenSockets } from "./domain-sockets.ts";
import { keepDomain } from "./keep-domain.ts";
import type { KeptDomain } from "./keep-domain.ts";
import type { KeyInVault } from "./key-in-vault.ts";
import { innerDomainsOf } from "./no-inner-domains.ts";
import type { InnerDomainName } from "./no-inner-domains.ts";
import { serveGroups } from "./serve-groups.ts";
import type { ServedGroups } from "./serve-groups.ts";
import { startEgress } from "./start-egress.ts";
import { startFunctions } from "./start-functions.ts";
import { followFunctionCode } from "./function-code.ts";
import type { FunctionCode } from "./function-code.ts";
import { mapFunctionLines } from "./map-function-lines.ts";
import { prepareGroupOf, startGroupOf } from "./start-group.ts";
import { startVault } from "./start-vault.ts";
import { say } from "./surroundings.ts";
import type { Surroundings } from "./surroundings.ts";

/** Options of {@link keepInnerDomains}. */
export interface InnerDomainsOptions {
  /** Where each of them writes events to. */
  readonly pipes: readonly EventsPipe[];
  /** Undefined: the site has no vault. */
  readonly vault: { readonly plan: VaultPlan; readonly key: KeyInVault } | undefined;
}

/** The domains behind the edge, and the sockets between them. */
export interface InnerDomains {
  /** Where the edge reaches them, once they are open. */
  readonly sockets: DomainSockets;
  /** Opens their sockets. Who connects from now on waits. */
  open(): Promise<void>;
  /** Starts all at once, and resolves when each does its work. */
  start(): Promise<void>;
  /** Ends all but the vault, in the order in which they need each other. To be called when the edge has ended. */
  stop(graceMs: number): Promise<void>;
  /** Ends the vault. To be called when the ledger has ended, whose log it signs. */
  stopVault(): Promise<void>;
  /** Makes ready what groups are started with, so that the first call of each does not wait for that. */
  prepare(): Promise<void>;
  /** Looks whether a newer release has other code of functions. */
  releaseAccepted(): Promise<void>;
  pids(): Partial<Record<DomainName, number>>;
  /** Process ids of groups of functions that run, by name. */
  groupPids(): Readonly<Record<string, number>>;
}

/** Ends are not waited for longer than this. */
const slackMs = 2000;

/** Keeps the domains running that are behind the edge. */
export function keepInnerDomains(
  surroundings: Surroundings,
  { pipes, vault: ofVault }: InnerDomainsOptions,
): InnerDomains {
  const { loaded } = surroundings;
  const names = innerDomainsOf(surroundings);
  let sockets: OpenSockets | undefined;
  const all = functionGroups(loaded.contract);
  const sayFailure = (group: string, { message, hint }: Error & { hint?: string }): void =>
    say(
      surroundings,
      "error",
      `the functions of group ${group} can't be started: ${message}${hint === undefined ? "" : `  ${hint}`}`,
    );
  const ofFunctions = mapFunctionLines(surroundings, all, () => code);
  const code: FunctionCode = followFunctionCode(
    loaded,
    all,
    prepareGroupOf(surroundings, () => opened()),
  );
  const groups: ServedGroups = serveGroups({
    groups: all,
    start: startGroupOf(ofFunctions, () => opened(), code),
    tell: (message) => functions.process?.control.send(message),
    onFailure: sayFailure,
  });
  const opened = (): OpenSockets => {
    if (sockets === undefined) throw new Error("there are no sockets yet");
    return sockets;
  };
  const inputs = (name: InnerDomainName): { eventsFd: number; sockets: OpenSockets } => ({
    eventsFd: pipes.find((pipe) => pipe.name === name)?.writeFd ?? -1,
    sockets: opened(),
  });
  let ranBefore = false;
  const vault: KeptDomain<ToVault> = keepDomain(surroundings, "vault", async (launched) => {
    if (ofVault === undefined) return;
    await startVault(surroundings, { ...inputs("vault"), ...ofVault, ranBefore }, launched);
    ranBefore = true;
  });
  const egress: KeptDomain<ToEgress> = keepDomain(surroundings, "egress", (launched) =>
    startEgress(surroundings, inputs("egress"), launched),
  );
  const functions: KeptDomain<ToFunctions> = keepDomain(surroundings, "functions", async (launched) => {
    await code.refresh();
    await startFunctions(ofFunctions, { ...inputs("functions"), groups }, launched);
  });
  const kept = { vault, egress, functions };

  /** One a turn of the event loop: to prepare one takes some tens of milliseconds of this thread. */
  async function prepare(): Promise<void> {
    for (const group of all) {
      await new Promise((resolve) => setImmediate(resolve));
      if (surroundings.stopping.aborted) return;
      try {
        code.engineOf(group);
      } catch (error) {
        sayFailure(group.name, error as Error);
      }
    }
  }

  return {
    get sockets() {
      return socketsOfEdge(loaded, sockets);
    },
    async open() {
      sockets = await openDomainSockets(surroundings);
    },
    async start() {
      await Promise.all(names.map((name) => kept[name].start()));
    },
    async stop(graceMs) {
      await functions.stop({ type: "stop", graceMs }, graceMs + slackMs);
      await groups.endAll();
      await egress.stop({ type: "stop", graceMs }, graceMs + slackMs);
    },
    async stopVault() {
      await vault.stop({ type: "stop" }, slackMs);
      await sockets?.close();
    },
    async releaseAccepted() {
      const changed = await code.refresh();
      for (const group of changed) functions.process?.control.send({ type: "group-replaced", group });
      await prepare();
    },
    prepare,
    pids: () =>
      Object.fromEntries(
        names.flatMap((name) => {
          const pid = kept[name].process?.pid;
          return pid === undefined ? [] : [[name, pid]];
        }),
      ),
    groupPids: () => groups.pids(),
  };
}
