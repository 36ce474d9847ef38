import type { Missing } from "./secrets-probe.ts";

/** A process of the running stack, as the kernel has it. */
export interface StackProcess {
  readonly pid: number;
  /** `edge`, `functions`, `group` … */
  readonly domain: string;
  /** Whether it runs the site's functions. */
  readonly isGroup: boolean;
  readonly uid: number;
  /** Groups beside its own. */
  readonly groups: readonly number[];
  /** Whether its network is the machine's, as the audit sees it. */
  readonly hasMachinesNetwork: boolean;
  /** Filters of system calls beyond those that the audit itself is under. */
  readonly filters: number;
  /** Whether it can get no more rights than it has, whatever it runs. */
  readonly hasNoNewPrivileges: boolean;
  /** Whether it has no capability, and can get none. */
  readonly hasNoCapabilities: boolean;
}

/** The processes of a running stack. */
export interface StackProcesses {
  /** How this machine can keep domains apart: `uid`, `bwrap` or `reduced`. */
  readonly isolation: "uid" | "bwrap" | "reduced";
  /** Whether this machine can give functions a sandbox. */
  readonly hasSandboxes: boolean;
  readonly processes: readonly StackProcess[];
  /** Processes that could not be looked at, with the reason. */
  readonly unread: readonly string[];
}

/** What the machine that a stack runs on shows of its processes and of its vault's file, to who may look. */
export interface MachineProbe {
  /** Connections that the edge holds at most of one address, over all of its threads. Undefined: no stack of this site runs here. */
  connectionsPerAddress(): number | undefined;
  processes(): StackProcesses | Missing;
  /** What the vault sealed, without its key: the nonces alone, in hexadecimal. */
  sealedNonces(): readonly string[] | Missing;
}
