import { CurtainwallError } from "../../shared/index.ts";
import type { LaunchedBrowser } from "./launch-browser.ts";

/** A browser that is started anew once it was ended for its memory. */
export interface RenewedBrowser<Started> {
  /**
   * Does something with it.
   *
   * @param what what is looked at, for the words of what is thrown
   * @throws {CurtainwallError} `AUDIT_TARGET_UNREACHABLE` when it was ended meanwhile, or since something was done last
   */
  use<Result>(what: string, work: (started: Started) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/** Whoever fills the memory with each of a hundred pages would have all of an audit's time. */
const mostEnds = 3;

/** @param maxBytes what it is ended for, for the words of what is thrown */
export function renewBrowser<Started extends Pick<LaunchedBrowser, "isOver" | "close">>(
  first: Started,
  start: () => Promise<Started>,
  maxBytes: number,
): RenewedBrowser<Started> {
  let current: Promise<Started> | undefined = Promise.resolve(first);
  let ends = 0;
  const why = `the browser took more than ${Math.round(maxBytes / 1_048_576).toLocaleString("en")} MB of memory, and was ended`;
  const unseen = (message: string, cause?: unknown): CurtainwallError =>
    new CurtainwallError("AUDIT_TARGET_UNREACHABLE", message, { cause });

  /** Told by all that went on with it, or by what comes next: no end goes untold. */
  async function giveUp(ended: Promise<Started>, started: Started): Promise<void> {
    if (current !== ended) return;
    current = undefined;
    ends++;
    await started.close().catch(() => undefined);
  }

  return {
    async use(what, work) {
      if (ends >= mostEnds) throw unseen(`${why} ${mostEnds} times: ${what} was not looked at`);
      const mine = (current ??= start());
      const started = await mine;
      try {
        if (!started.isOver()) return await work(started);
      } catch (error) {
        if (!started.isOver()) throw error;
      }
      await giveUp(mine, started);
      throw unseen(`${why}: ${what} was not looked at in full`);
    },
    // One that did not start again was told to who asked for it.
    close: async () => (await current?.catch(() => undefined))?.close(),
  };
}
