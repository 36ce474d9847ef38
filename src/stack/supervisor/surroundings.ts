import type { EventSink } from "../../contract/index.ts";
import { codeCacheFolder } from "../processes/code-cache.ts";
import type { StackFolders } from "../folders.ts";
import { domainUser } from "../isolation/isolation.ts";
import type { DomainName, Isolation, SandboxView } from "../isolation/isolation.ts";
import { launchDomain } from "../processes/launch.ts";
import type { DomainProcess } from "../processes/launch.ts";
import type { LoadedContract } from "../contract/load-contract.ts";
import type { DomainUser } from "../processes/messages.ts";

/** Something that an operator may want to read. */
export interface StackLogEntry {
  readonly from: DomainName | "supervisor";
  /** `trace`: a line of the stack of an error whose own line says where it was thrown. Who only watches leaves it out. */
  readonly level: "info" | "warning" | "error" | "trace";
  readonly message: string;
}

/** What all parts of a supervisor work with. */
export interface Surroundings {
  readonly loaded: LoadedContract;
  readonly folders: StackFolders;
  readonly isolation: Isolation;
  /** Whether each group of functions gets a sandbox. */
  readonly sandboxesFunctions: boolean;
  readonly log: (entry: StackLogEntry) => void;
  readonly events: EventSink;
  /** Aborted when the stack begins to stop: what ends from then on is not started again. */
  readonly stopping: AbortSignal;
}

/** Writes a line of the supervisor's own. */
export function say(
  { log }: Pick<Surroundings, "log">,
  level: StackLogEntry["level"],
  message: string,
): void {
  log({ from: "supervisor", level, message });
}

/** The user that a domain becomes, if it becomes one. */
export function userOf(
  { isolation, loaded }: Pick<Surroundings, "isolation" | "loaded">,
  domain: DomainName,
): DomainUser | undefined {
  return isolation === "uid" ? domainUser(domain, loaded.root) : undefined;
}

/** Starts a domain's process, with the environment variables that are its own. */
export function launch<To extends { type: string }>(
  { loaded, isolation, folders, log }: Surroundings,
  domain: DomainName,
  fds: readonly (number | "pipe")[],
  view: SandboxView,
): DomainProcess<To> {
  const environment = Object.fromEntries(loaded.environment.map((name) => [name, process.env[name] ?? ""]));
  return launchDomain<To>({
    domain,
    isolation,
    fds,
    view,
    // Both load the contract, which read them.
    environment: domain === "edge" || domain === "egress" ? environment : {},
    codeCache: codeCacheFolder(folders, isolation),
    onLine: (line) => log({ from: domain, level: "error", message: line }),
  });
}
