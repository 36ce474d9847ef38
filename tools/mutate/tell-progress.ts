/** Says which phase it is, and every while that it still is. */
export function tellPhases(say: (words: string) => void): { begin(words: string): void; end(): void } {
  const everyMs = 15_000;
  let timer: NodeJS.Timeout | undefined;
  const end = (): void => clearInterval(timer);
  return {
    begin(words) {
      end();
      const started = performance.now();
      say(`${words} …`);
      timer = setInterval(
        () => say(`  ${words}: ${Math.round((performance.now() - started) / 1000)} s so far`),
        everyMs,
      ).unref();
    },
    end,
  };
}

/** Says, now and then, how long the rest will take if it goes on as it went since this was called. */
export function tellEstimate(
  say: (words: string) => void,
  now: () => number = () => performance.now(),
): (done: number, of: number) => void {
  const started = now();
  const every = 5;
  let tried = 0;
  return (done, of) => {
    tried++;
    if (tried % every !== 1 || done >= of) return;
    const minutes = ((now() - started) / tried / 60_000) * (of - done);
    say(`      about ${minutes < 1.5 ? "a minute" : `${Math.round(minutes)} minutes`} left`);
  };
}
