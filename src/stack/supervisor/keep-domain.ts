import { clearTimeout, setTimeout } from "node:timers";
import { CurtainwallError } from "../../shared/index.ts";
import type { DomainName } from "../isolation/isolation.ts";
import { domainReady } from "../processes/launch.ts";
import type { DomainProcess } from "../processes/launch.ts";
import type { FromDomain } from "../processes/messages.ts";
import { say } from "./surroundings.ts";
import type { Surroundings } from "./surroundings.ts";

/** A domain that is started again when it ends. */
export interface KeptDomain<To> {
  /** The process that runs, or ran last. */
  readonly process: DomainProcess<To> | undefined;
  /** Starts it for the first time. What goes wrong here is thrown; from then on it is tried again. */
  start(): Promise<void>;
  /** Asks it to end, and ends it if it takes longer than this. */
  stop(message: To, timeoutMs: number): Promise<void>;
}

/** Starts a process of a domain, says which as soon as there is one, and resolves when it does its work. */
export type StartDomain<To> = (launched: (process: DomainProcess<To>) => void) => Promise<void>;

interface Run<To> {
  readonly process: DomainProcess<To>;
  /** On the clock that nobody sets. */
  readonly startedAtMs: number;
}

const firstDelayMs = 100;
const longestDelayMs = 10_000;
/** A domain that ran this long has recovered: its next end starts from the shortest delay again. */
const recoveredAfterMs = 60_000;

/** Keeps a domain running: one that ends is started again, later each time. */
export function keepDomain<To extends { type: string }>(
  surroundings: Surroundings,
  domain: DomainName,
  startDomain: StartDomain<To>,
): KeptDomain<To> {
  const { events, stopping } = surroundings;
  let run: Run<To> | undefined;
  let waiting: NodeJS.Timeout | undefined;
  stopping.addEventListener("abort", () => clearTimeout(waiting));

  async function start(failures: number): Promise<void> {
    await startDomain((process) => (run = { process, startedAtMs: performance.now() }));
    if (run !== undefined) watch(run, failures);
  }

  function watch({ process, startedAtMs }: Run<To>, failures: number): void {
    void process.exited.then((how) => {
      if (stopping.aborted) return;
      const recovered = performance.now() - startedAtMs > recoveredAfterMs;
      events({ type: "stack.domain.exited", time: Date.now(), domain, exit: how });
      say(surroundings, "error", `the ${domain} ended (${how})`);
      retry((recovered ? 0 : failures) + 1);
    });
  }

  function retry(failures: number): void {
    waiting = setTimeout(
      () =>
        void start(failures).then(
          () => {
            events({ type: "stack.domain.restarted", time: Date.now(), domain, attempt: failures });
            say(surroundings, "info", `the ${domain} runs again`);
          },
          (error: unknown) => {
            say(
              surroundings,
              "error",
              `the ${domain} could not be started again: ${(error as Error).message}`,
            );
            if (!stopping.aborted) retry(failures + 1);
          },
        ),
      Math.min(longestDelayMs, firstDelayMs * 2 ** (failures - 1)),
    );
  }

  return {
    get process() {
      return run?.process;
    },
    start: () => start(0),
    async stop(message, timeoutMs) {
      if (run === undefined) return;
      const { process } = run;
      process.control.send(message);
      const timer = setTimeout(() => process.kill(), timeoutMs);
      await process.exited;
      clearTimeout(timer);
    },
  };
}

/** Waits for a domain; one that does not come up is ended, since it still holds its sockets and its rights. */
export async function whenReady<To extends { type: string }>(
  { stopping }: Surroundings,
  domain: DomainName,
  process: DomainProcess<To>,
  onMessage?: (message: FromDomain) => void,
): ReturnType<typeof domainReady> {
  try {
    const ready = await domainReady(domain, process, onMessage);
    if (stopping.aborted) throw new CurtainwallError("STACK_DOMAIN_FAILED", "The stack is being stopped.");
    return ready;
  } catch (error) {
    process.kill();
    await process.exited;
    throw error;
  }
}
