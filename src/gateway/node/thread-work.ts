/** Milliseconds of processor time that this thread has taken: what its neighbours on the machine take is not in it. */
export function threadWorkMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
