/** The name of a project's lock. */
export const lockName = "curtainwall.lock.json";
