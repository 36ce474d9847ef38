/**
 * How long this process itself computed while something ran, in milliseconds: what a bound on work is measured by, since the time on the
 * clock is also that of whatever else the machine does.
 */
export function cpuMs(work: () => unknown): number {
  const { user } = process.cpuUsage();
  work();
  return (process.cpuUsage().user - user) / 1000;
}
