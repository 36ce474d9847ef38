/** What is said when time is up. */
export const timeIsUp = "the time for it was used up";

/** What is said of a limit that comes back after that. */
export const noTimeToWait = "there was no time left to wait for it";

/** Whether more time would help against this. */
export const isOutOfTime = (reason: string): boolean =>
  reason.includes(timeIsUp) || reason.includes(noTimeToWait);
