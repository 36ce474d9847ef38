import { readPem } from "../edge/certificate.ts";
import { edgeView } from "../edge/edge-view.ts";
import { makeMemoryFolder } from "../egress/memory-folder.ts";
import { makeStateFolder } from "../folders.ts";
import { functionGroups } from "../functions/function-groups.ts";
import type { DomainProcess } from "../processes/launch.ts";
import type { DomainUser, EgressConfiguration, ToEgress } from "../processes/messages.ts";
import { groupSocketOf, inheritance, socketsOfEgress } from "./domain-sockets.ts";
import type { OpenSockets } from "./domain-sockets.ts";
import { whenReady } from "./keep-domain.ts";
import { launch, userOf } from "./surroundings.ts";
import type { Surroundings } from "./surroundings.ts";

/** What an egress is given beside what the contract says. */
export interface EgressInputs {
  readonly eventsFd: number;
  readonly sockets: OpenSockets;
}

/** Starts the egress; resolves when it listens. It loads the contract as the edge does, since what limits a use may be a schema. */
export async function startEgress(
  surroundings: Surroundings,
  { eventsFd, sockets }: EgressInputs,
  launched: (process: DomainProcess<ToEgress>) => void,
): Promise<void> {
  const { loaded } = surroundings;
  const user = userOf(surroundings, "egress");
  // Before there is a process that would have to be ended if a file can't be read.
  const authorities = readAuthorities(surroundings);
  const vaultSocket = loaded.contract.secrets.size === 0 ? undefined : sockets.held.path("vault");
  const { fds, ...inherited } = inheritance(eventsFd, sockets, socketsOfEgress(loaded));
  const view = edgeView(loaded);
  const memoryFolder = memoryFolderOf(surroundings, user);
  const egress = launch<ToEgress>(surroundings, "egress", fds, {
    ...view,
    readOnly: [...view.readOnly, ...(vaultSocket === undefined ? [] : [vaultSocket])],
    writable: memoryFolder === undefined ? [] : [memoryFolder],
  });
  launched(egress);
  egress.control.send({
    type: "configure",
    ...inherited,
    user,
    contractFile: loaded.file,
    vaultSocket,
    memoryFolder,
    authorities,
    groups: functionGroups(loaded.contract).map(({ name, functions }) => ({
      name: groupSocketOf(name),
      functions: functions.map((member) => member.name),
    })),
  });
  await whenReady(surroundings, "egress", egress);
}

/** The one folder that egress writes to; undefined: it needs none. */
function memoryFolderOf({ folders, loaded }: Surroundings, user: DomainUser | undefined): string | undefined {
  if (loaded.contract.routes.every(({ webhook }) => webhook === undefined)) return undefined;
  makeStateFolder(folders);
  makeMemoryFolder(folders.egress, user);
  return folders.egress;
}

function readAuthorities({ loaded }: Surroundings): EgressConfiguration["authorities"] {
  const { contract, root } = loaded;
  const { limitStore: store } = contract;
  const places = [
    ...[...contract.egressOrigins.values()].map(({ origin, caFile }) => ({ place: origin, caFile })),
    // A store's URL has no origin.
    ...(store === undefined ? [] : [{ place: store.url.href, caFile: store.caFile }]),
  ];
  return Object.fromEntries(
    places.flatMap(({ place, caFile }) =>
      caFile === undefined ? [] : [[place, readPem(root, caFile) ?? ""]],
    ),
  );
}
