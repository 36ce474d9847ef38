/** Says which phase it is, and that it still is when nothing was said for a while. */
export interface Phases {
  /** `detail` says how far it is, each time anew. */
  begin(words: string, detail?: () => string): void;
  /** Something else was said, so this may wait. */
  heard(): void;
  end(): void;
}

/** Creates {@link Phases}. */
export function tellPhases(say: (words: string) => void, everyMs = 15_000): Phases {
  let timer: NodeJS.Timeout | undefined;
  const end = (): void => clearInterval(timer);
  return {
    begin(words, detail = () => "") {
      end();
      const started = performance.now();
      say(`${words} …`);
      timer = setInterval(() => {
        const far = detail();
        const seconds = Math.round((performance.now() - started) / 1000);
        say(`  ${words}: ${far === "" ? "" : `${far}, `}${seconds} s so far`);
      }, everyMs).unref();
    },
    heard: () => void timer?.refresh(),
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
