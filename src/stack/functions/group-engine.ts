import type { GroupView } from "./group-arguments.ts";

/** What runs a group's functions, and what it is handed. */
export interface GroupEngine {
  /** What its sandbox shows it; asked for at each start. */
  readonly view: () => GroupView;
  /** What is started, where its listener is this descriptor. */
  readonly command: (listenerFd: number, isSandboxed: boolean) => readonly string[];
  /** What it reads on standard input: all code that it will run. */
  readonly program: Uint8Array;
  /** Undefined: there is none for this processor. */
  readonly filter: Uint8Array | undefined;
  /** Memory that it reserves beside what functions use, which the kernel counts too. */
  readonly reservedMb: number;
}
