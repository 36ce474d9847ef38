/** How fast a log is written. */
export interface LogPace {
  /**
   * Takes what was written since this was called last.
   *
   * @param written undefined: that is not known, and it is begun anew
   * @returns in how little time the last so many bytes were written, if that was less than asked for
   */
  add(written: number | undefined, nowMs: number): number | undefined;
}

/** Tells when so many bytes are written in less than this time. */
export function createLogPace({ bytes, withinMs }: { bytes: number; withinMs: number }): LogPace {
  let total = 0;
  /** The last is now; before the first lies what is too old, or more than enough. */
  let looks: { readonly total: number; readonly ms: number }[] = [];
  return {
    add(written, nowMs) {
      if (written === undefined) looks = [];
      total += written ?? 0;
      looks.push({ total, ms: nowMs });
      const recent = looks.findIndex(({ ms }) => nowMs - ms < withinMs);
      const enough = looks.findLastIndex((one) => total - one.total >= bytes);
      looks = looks.slice(Math.max(recent, enough, 0));
      const [first] = looks;
      return first !== undefined && total - first.total >= bytes ? nowMs - first.ms : undefined;
    },
  };
}
