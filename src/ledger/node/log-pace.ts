/** How fast a log is written. */
export interface LogPace {
  /**
   * Takes what was written since this was called last.
   *
   * @param written undefined: that is not known, and it is begun anew
   * @returns in how little time the last so many bytes were written, if that was less than asked for
   */
  add(written: number | undefined, nowMs: number): number | undefined;
  /** What to go on from after a restart: fewer looks, as far apart as still tells. */
  looks(): readonly PaceLook[];
}

/** A look at a log: how many bytes there were by then, from wherever it was begun to count. */
export interface PaceLook {
  readonly bytes: number;
  readonly ms: number;
}

/** Options of {@link createLogPace}. */
export interface LogPaceOptions {
  readonly bytes: number;
  readonly withinMs: number;
  /** Looks of a process before this one. What lies ahead of the present tells nothing. */
  readonly before?: readonly PaceLook[] | undefined;
}

/** Looks that are remembered over a restart. */
const mostLooks = 256;

/** Tells when so many bytes are written in less than this time. */
export function createLogPace({ bytes, withinMs, before = [] }: LogPaceOptions): LogPace {
  let looks: readonly PaceLook[] = before;
  let total = before.at(-1)?.bytes ?? 0;
  return {
    add(written, nowMs) {
      if (written === undefined) looks = [];
      total += written ?? 0;
      // The last is now; before the first lies what is too old, or more than enough.
      looks = [...looks.filter(({ ms }) => ms <= nowMs), { bytes: total, ms: nowMs }];
      const recent = looks.findIndex(({ ms }) => nowMs - ms < withinMs);
      const enough = looks.findLastIndex((one) => total - one.bytes >= bytes);
      looks = looks.slice(Math.max(recent, enough, 0));
      const [first] = looks;
      return first !== undefined && total - first.bytes >= bytes ? nowMs - first.ms : undefined;
    },
    looks() {
      const kept: PaceLook[] = [];
      for (const look of looks)
        if (look === looks.at(-1) || look.ms - (kept.at(-1)?.ms ?? -Infinity) >= withinMs / mostLooks)
          kept.push(look);
      return kept;
    },
  };
}
