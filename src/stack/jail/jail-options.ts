import { availableParallelism } from "node:os";
import type { BuildLimits } from "./watch-limits.ts";

/** Options of {@link runJailed}. */
export interface JailOptions extends BuildLimits {
  /** The project's folder. The command sees a copy of it, so that nothing it does reaches the original. */
  readonly root: string;
  /** What builds the site, as a shell reads it: `npm run build`. */
  readonly command: string;
  /** The folder that it writes, relative to `root`. Only this comes out of the jail. */
  readonly output: string;
  /** Origins that the build may reach, exactly: `https://api.example`. Default: none. */
  readonly reaches?: readonly string[];
  /** Environment variables that it gets, beside `PATH`, `HOME`, `LANG` and `CI`. Default: none. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Allows origins in {@link reaches} that resolve to private addresses; says why. */
  readonly insecurePrivateAddresses?: string;
  /** Runs the command without a jail where bubblewrap is missing; says why. */
  readonly insecureUnjailedBuild?: string;
  /** One line that the command wrote, safe to show. */
  readonly onLine?: (line: string) => void;
  /** Ends the build, with everything that it started. */
  readonly signal?: AbortSignal;
}

/** How a build ended. */
export interface JailResult {
  /** Whether it ran in a jail; false only with {@link JailOptions.insecureUnjailedBuild}. */
  readonly jailed: boolean;
  /** Files of the project that the build did not see, relative to its folder. */
  readonly withheld: readonly string[];
  /** What it tried to reach and was not let through to: `host:port`, each once. */
  readonly refused: readonly string[];
}

/** What a build gets at most. Generous for a build, small for a bomb. */
export const jailLimits = {
  processes: 1024,
  openFiles: 16_384,
  /** Bytes of memory that one process may write to. Each of Node's threads reserves half a GiB, and bundlers start one a core. */
  dataBytes: (8 + availableParallelism()) * 2 ** 30,
  fileBytes: 4 * 2 ** 30,
  /** Of each folder in memory: `/tmp`, and where bundlers cache. */
  temporaryBytes: 2 ** 30,
  /** Of `/dev/shm`, where semaphores lie. */
  sharedBytes: 256 * 2 ** 20,
  /** Of a folder that is shown empty: the least that there is. */
  emptyBytes: 4096,
  /** Bytes through the gate, both ways. */
  transferBytes: 2 * 2 ** 30,
} as const;
