/** Notes variables that are asked for and not there, so that an author is told why a template found nothing. */
export function recordMissed(): () => string[] {
  const missed = new Set<string>();
  const note = (name: string | symbol): void => {
    if (typeof name === "string" && name.length <= 200 && missed.size < 200) missed.add(name);
  };
  process.env = new Proxy(process.env, {
    get(target, name) {
      if (!(name in target)) note(name);
      return target[name as string];
    },
    has(target, name) {
      if (!(name in target)) note(name);
      return name in target;
    },
  });
  return () => [...missed].sort();
}
