import { constants } from "node:os";

/** Resolves when somebody wants this to end, and says whether. */
export interface Interrupt {
  readonly promise: Promise<"stopped">;
  /** What a program that was ended by the signal says: 128 and its number. */
  exitCode(): number;
  isStopped(): boolean;
  /** From here on a signal ends the process, as ever. */
  forget(): void;
}

const codeOf = (signal: NodeJS.Signals): number => 128 + constants.signals[signal];

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Takes the first signal; a second one, a second later, ends this at once. One Ctrl-C is two signals, the terminal's and npm's. */
export function onInterrupt(say: (words: string) => void): Interrupt {
  const { promise, resolve } = Promise.withResolvers<"stopped">();
  let since: number | undefined;
  let first: NodeJS.Signals = "SIGINT";
  const stop = (signal: NodeJS.Signals): void => {
    if (since !== undefined) {
      if (Date.now() - since > 1000) process.exit(codeOf(signal));
      return;
    }
    since = Date.now();
    first = signal;
    say("Stopping: the example's processes are ended first …");
    resolve("stopped");
  };
  for (const signal of signals) process.on(signal, stop);
  return {
    promise,
    exitCode: () => codeOf(first),
    isStopped: () => since !== undefined,
    forget: () => {
      for (const signal of signals) process.off(signal, stop);
    },
  };
}
