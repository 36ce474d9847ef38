import { join } from "node:path";
import type { Contract } from "../../contract/index.ts";
import { functionGroups } from "../functions/function-groups.ts";
import { openHeldListeners } from "../processes/held-listeners.ts";
import type { HeldListenerPlan, HeldListeners } from "../processes/held-listeners.ts";
import { groupUser } from "../isolation/isolation.ts";
import { firstInheritedFd } from "../processes/launch.ts";
import type { DomainSockets, DomainUser, InheritedListener } from "../processes/messages.ts";
import { openRunFolder } from "../processes/run-folder.ts";
import { userOf } from "./surroundings.ts";
import type { Surroundings } from "./surroundings.ts";

/** The sockets between the domains of a running stack. */
export interface OpenSockets {
  readonly held: HeldListeners;
  /** Closes them and removes their folder. */
  close(): Promise<void>;
}

/** What a contract's sockets are called, and who may connect to them. */
interface SocketPlan {
  readonly name: string;
  readonly file: string;
  readonly owner: DomainUser | undefined;
}

/** Where a group's process is reached. */
export const groupSocketOf = (group: string): string => `group:${group}`;
/** Where it reaches egress. Not `egress:` and its name alone: a function may well be called `edge`. */
export const egressSocketOf = (group: string): string => `egress:${groupSocketOf(group)}`;

/** Opens a stack's sockets: each for one listener, and for one user that may connect. */
export async function openDomainSockets(surroundings: Surroundings): Promise<OpenSockets> {
  const folder = openRunFolder(surroundings.loaded.root);
  try {
    const plans = planSockets(surroundings).map(({ name, file, owner }): HeldListenerPlan => ({
      name,
      path: join(folder.path, file),
      owner,
    }));
    const held = await openHeldListeners(plans);
    folder.admit();
    return {
      held,
      async close() {
        await held.close();
        folder.remove();
      },
    };
  } catch (error) {
    folder.remove();
    throw error;
  }
}

function planSockets(surroundings: Surroundings): SocketPlan[] {
  const { isolation, loaded } = surroundings;
  const { contract, root } = loaded;
  const [edge, egress, functions] = (["edge", "egress", "functions"] as const).map((domain) =>
    userOf(surroundings, domain),
  );
  const groups = functionGroups(contract).flatMap(({ name, index }) => [
    {
      name: egressSocketOf(name),
      file: `egress-${index}`,
      owner: isolation === "uid" ? groupUser(index, root) : undefined,
    },
    { name: groupSocketOf(name), file: `group-${index}`, owner: functions },
  ]);
  const { secrets, functions: declared } = contract;
  return [
    ...(secrets.size === 0 ? [] : [{ name: "vault", file: "vault", owner: egress }]),
    ...(secrets.size === 0 ? [] : [{ name: "egress:edge", file: "egress-edge", owner: edge }]),
    ...(hasLimitStore(contract) ? [{ name: "redis:limits", file: "redis-limits", owner: edge }] : []),
    ...(declared.size === 0 ? [] : [{ name: "functions", file: "functions", owner: edge }]),
    ...groups,
  ];
}

/** Whether egress opens the connections to the store that hosts share: it does so when there is a password. */
const hasLimitStore = ({ limitStore }: Pick<Contract, "limitStore">): boolean =>
  limitStore?.secret !== undefined;

/** Where the edge finds them. */
export function socketsOfEdge(
  { contract }: Surroundings["loaded"],
  sockets: OpenSockets | undefined,
): DomainSockets {
  const { secrets, functions } = contract;
  const path = (name: string, isThere: boolean): string | undefined =>
    isThere ? sockets?.held.path(name) : undefined;
  return {
    functions: path("functions", functions.size > 0),
    egress: path("egress:edge", secrets.size > 0),
    limits: path("redis:limits", hasLimitStore(contract)),
  };
}

/** The names of those that the vault listens on: none where nobody asks it for values. */
export const socketsOfVault = ({ contract }: Surroundings["loaded"]): string[] =>
  contract.secrets.size === 0 ? [] : ["vault"];

/** The names of those that egress listens on. */
export function socketsOfEgress({ contract }: Surroundings["loaded"]): string[] {
  return [
    ...(contract.secrets.size === 0 ? [] : ["egress:edge"]),
    ...(hasLimitStore(contract) ? ["redis:limits"] : []),
    ...functionGroups(contract).map(({ name }) => egressSocketOf(name)),
  ];
}

/** What a domain inherits: where it writes events to, and its listeners; as descriptors here, and by the numbers that they have there. */
export function inheritance(
  eventsFd: number,
  { held }: OpenSockets,
  names: readonly string[],
): { fds: number[]; eventsFd: number; listeners: InheritedListener[] } {
  return {
    fds: [eventsFd, ...names.map((name) => held.fd(name))],
    eventsFd: firstInheritedFd,
    listeners: names.map((name, index) => ({ name, fd: firstInheritedFd + 1 + index })),
  };
}
