/** How often more has to come than may, while nobody else of the audit's asks for anything, to be taken for the doing of what was sent. */
const times = 3;
/** What was sent before may bring something about late: only what goes on coming is others' doing. */
const mostLate = 3;

/** How much comes to who tells, each time that it is called. */
export interface Counts {
  /** While nothing is sent. */
  idle: () => Promise<number>;
  /** Of what is sent, beyond what may. */
  busy: () => Promise<number>;
}

/**
 * Looks how much comes of what is sent, again if it is too much: a visitor, or a page that a browser has open, may ask for the same beside it, and
 * hardly each time. Undefined: others go on asking.
 */
export async function comesEachTime({ idle, busy }: Counts): Promise<number | undefined> {
  for (let left = times; ; left--) {
    if (!(await comesToRest(idle))) return undefined;
    const count = await busy();
    if (count === 0 || left === 1) return count;
  }
}

async function comesToRest(idle: Counts["idle"]): Promise<boolean> {
  for (let looks = 0; looks < mostLate; looks++) if ((await idle()) === 0) return true;
  return false;
}
