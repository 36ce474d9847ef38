import type { Checkpoint, CheckpointClaim } from "../../ledger/index.ts";
import type { DomainProcess } from "../processes/launch.ts";
import type { FromDomain, ToVault } from "../processes/messages.ts";
import type { LogKeyHolder, LookAtLog } from "./log-key.ts";

/** What is needed of the vault's process. */
export interface VaultProcess {
  readonly exited: Promise<unknown>;
  readonly control: Pick<DomainProcess<ToVault>["control"], "send">;
}

/** The vault's process, asked to sign. */
export interface KeyInVault extends LogKeyHolder {
  /** It runs from now on, until it ends. */
  runs(vault: VaultProcess): void;
  /** What it says. */
  told(message: FromDomain): void;
}

/** Options of {@link keyInVault}. */
export interface KeyInVaultOptions {
  /** Aborted when the stack begins to stop: a vault that ends from then on is not waited for. */
  stopping: AbortSignal;
  /** Called when it signs a log that it never signed, and signed another one before. */
  onBegun?: (log: string, before: string) => void;
  /** Called when its key signed more of a log than its store remembered: that is an older copy. */
  onBehind?: (checkpoint: Checkpoint, remembered: number) => void;
  /** How long a vault is waited for that is being started, or started again, in milliseconds. Default 10 000. */
  timeoutMs?: number;
}

interface Question {
  message: Extract<ToVault, { type: "sign-log" }>;
  readonly look: LookAtLog;
  /** Whether the vault waits for what is seen in the log, rather than the other way round. */
  isLooking: boolean;
  answer(result: Checkpoint | string): void;
}

type Unseen = Extract<FromDomain, { type: "log-unseen" }>;

const gone = "the vault, which has the key, does not run";

/** Asks the vault, and asks again the one that runs after it: to be signed twice is the same as once. Nothing else signs while there is none. */
export function keyInVault({
  stopping,
  onBegun = () => undefined,
  onBehind = () => undefined,
  timeoutMs = 10_000,
}: KeyInVaultOptions): KeyInVault {
  const open = new Map<number, Question>();
  let asked = 0;
  let vault: VaultProcess | undefined;
  const giveUp = (): void => {
    if (stopping.aborted && vault === undefined) for (const { answer } of open.values()) answer(gone);
  };
  stopping.addEventListener("abort", giveUp);

  /** The vault signed more than the supervisor remembers: it was killed in between, or somebody took its memory away. What its key signed and the log has may be more still. */
  async function lookFurther({ number, last, key }: Unseen): Promise<void> {
    const question = open.get(number);
    if (question === undefined) return;
    question.isLooking = true;
    const found = await seenBy(question.look, last, key).catch((error: unknown) => (error as Error).message);
    question.isLooking = false;
    if (typeof found === "string") return question.answer(found);
    question.message = { ...question.message, ...found, searched: key };
    vault?.control.send(question.message);
    giveUp();
  }

  return {
    sign(claim, before, look) {
      const number = ++asked;
      const message = {
        type: "sign-log",
        number,
        claim,
        before,
        seen: undefined,
        searched: undefined,
      } as const;
      const { promise, resolve } = Promise.withResolvers<Checkpoint | string>();
      const question: Question = { message, look, isLooking: false, answer: resolve };
      const timer = setTimeout(() => {
        if (question.isLooking) timer.refresh();
        else resolve(gone);
      }, timeoutMs);
      timer.unref();
      open.set(number, question);
      vault?.control.send(message);
      giveUp();
      return promise.finally(() => {
        clearTimeout(timer);
        open.delete(number);
      });
    },
    runs(process) {
      vault = process;
      for (const { message } of open.values()) process.control.send(message);
      void process.exited.then(() => {
        if (vault === process) vault = undefined;
        giveUp();
      });
    },
    told(message) {
      if (message.type === "log-unseen") void lookFurther(message);
      if (message.type === "log-refused") open.get(message.number)?.answer(message.reason);
      if (message.type !== "log-signed") return;
      const { number, checkpoint, begunAfter, behind } = message;
      if (behind !== undefined) onBehind(checkpoint, behind);
      if (begunAfter !== undefined) onBegun(checkpoint.log, begunAfter);
      open.get(number)?.answer(checkpoint);
    },
  };
}

/** Looks whether the log goes on from what the vault signed last. A text: why not. */
async function seenBy(
  log: LookAtLog,
  last: CheckpointClaim | undefined,
  key: string,
): Promise<Pick<Question["message"], "seen"> | { readonly before: Checkpoint } | string> {
  const newest = await log.newest(key);
  const isBehind = newest !== undefined && newest.through > (last?.through ?? 0);
  const from = isBehind ? newest : last;
  const refusal = from === undefined ? undefined : await log.whyNotGoingOn(from);
  if (refusal !== undefined) return `the vault signed it before up to ${from?.through}: ${refusal}`;
  return isBehind ? { before: newest } : { seen: last };
}
