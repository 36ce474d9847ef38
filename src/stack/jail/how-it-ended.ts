import { constants } from "node:os";
import { CurtainwallError } from "../../shared/index.ts";
import { jailLimits } from "./jail-options.ts";
import type { ReachedLimit } from "./watch-limits.ts";

/** Lines of a failed build that its error repeats. */
const linesInErrors = 20;

/** What {@link lastLines} keeps. */
export interface LastLines {
  readonly add: (line: string) => void;
  /** The lines, for an error's hint. */
  readonly hint: () => string;
  /** A package that Node looked for and did not find. */
  readonly missingPackage: () => string | undefined;
}

/** Keeps the last lines that a build wrote, for its error. */
export function lastLines(): LastLines {
  const last: string[] = [];
  return {
    add: (line) => {
      last.push(line);
      if (last.length > linesInErrors) last.shift();
    },
    hint: () => {
      const limits = last.some((line) => outOfSomething.test(line)) ? `${limitsInWords}\n` : "";
      return last.length === 0 ? "It wrote nothing" : `${limits}It wrote at the end:\n${last.join("\n")}`;
    },
    missingPackage: () => last.map((line) => notFound.exec(line)?.[1]).find((name) => name !== undefined),
  };
}

/** Node's words for a package, not for a file: the name of one, with its scope. */
const notFound = /Cannot find (?:package|module) '((?:@[\w.-]+\/)?[\w-][\w.-]*)[^']*'/;

/** What programs say when the kernel gives them no more. */
const outOfSomething =
  /out of memory|cannot allocate|allocation failed|bad_alloc|MemoryError|ENOMEM|ENOSPC|EAGAIN|EMFILE|EFBIG|no space left|resource temporarily unavailable|too many open files|file (?:size limit|too large)/i;

const gigabytes = (bytes: number): string => `${bytes / 2 ** 30} GiB`;
const limitsInWords = `It may have met a limit of its jail: ${gigabytes(jailLimits.dataBytes)} of memory a process, ${jailLimits.processes} processes, ${jailLimits.openFiles} open files, ${gigabytes(jailLimits.fileBytes)} a file, ${gigabytes(jailLimits.temporaryBytes)} in /tmp.`;

/** What a shell and our bridge add to the number of the signal that ended what they ran. */
const signalBase = 128;

/** How a build ended that nobody ended, behind "The build". */
export function howItEnded(code: number | null, signal: NodeJS.Signals | null): string {
  const number = signal === null ? (code ?? 0) - signalBase : constants.signals[signal];
  if (number === constants.signals.SIGXFSZ)
    return `wrote a file of more than ${gigabytes(jailLimits.fileBytes)}, which is the most`;
  return signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
}

/** The error of a build that reached a limit. What was there before it stays. */
export function limitReached(build: string, { what, hint }: ReachedLimit, lines: string): CurtainwallError {
  return new CurtainwallError("STACK_BUILD_LIMITED", `${build} ${what}.`, {
    hint: `${hint}. What was there before is untouched.\n${lines}`,
  });
}
