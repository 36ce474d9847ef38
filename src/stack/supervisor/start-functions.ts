import { functionGroups } from "../functions/function-groups.ts";
import type { DomainProcess } from "../processes/launch.ts";
import type { FromDomain, FunctionGroupPlan, ToFunctions } from "../processes/messages.ts";
import { groupSocketOf, inheritance } from "./domain-sockets.ts";
import type { OpenSockets } from "./domain-sockets.ts";
import { whenReady } from "./keep-domain.ts";
import type { ServedGroups } from "./serve-groups.ts";
import { launch, say, userOf } from "./surroundings.ts";
import type { Surroundings } from "./surroundings.ts";

/** What a keeper of functions is given beside what the contract says. */
export interface FunctionsInputs {
  readonly eventsFd: number;
  readonly sockets: OpenSockets;
  /** What does as it asks. */
  readonly groups: ServedGroups;
}

/** Starts the keeper of functions; resolves when it listens. Of the file system it sees the sockets of its groups, and nothing of the site. */
export async function startFunctions(
  surroundings: Surroundings,
  { eventsFd, sockets, groups }: FunctionsInputs,
  launched: (process: DomainProcess<ToFunctions>) => void,
): Promise<void> {
  // Those of a keeper before this one: it can't know what they were doing.
  await groups.endAll();
  const plans = planGroups(surroundings, sockets);
  const { fds, ...inherited } = inheritance(eventsFd, sockets, ["functions"]);
  const keeper = launch<ToFunctions>(surroundings, "functions", fds, {
    readOnly: plans.map(({ socket }) => socket),
    writable: [],
    hidden: [],
    masked: [],
    network: false,
  });
  launched(keeper);
  void keeper.exited.then(() => groups.endAll());
  keeper.control.send({
    type: "configure",
    ...inherited,
    user: userOf(surroundings, "functions"),
    groups: plans,
  });
  await whenReady(surroundings, "functions", keeper, (message) => {
    if (isDemand(message) && groups.handle(message)) return;
    say(surroundings, "error", "the functions domain asked for what it may not have, and is ended");
    keeper.kill();
  });
}

const isDemand = (message: FromDomain): message is Extract<FromDomain, { group: string }> =>
  message.type === "start-group" || message.type === "kill-group";

function planGroups({ loaded }: Surroundings, { held }: OpenSockets): FunctionGroupPlan[] {
  return functionGroups(loaded.contract).map(({ name, runner, memoryMb, functions }) => ({
    name,
    runner,
    memoryMb,
    socket: held.path(groupSocketOf(name)),
    functions: functions.map(({ name: of, timeoutMs, concurrency, maxResponseBytes, everyMs, settings }) => ({
      name: of,
      timeoutMs,
      concurrency,
      maxResponseBytes,
      everyMs,
      settings,
    })),
  }));
}
