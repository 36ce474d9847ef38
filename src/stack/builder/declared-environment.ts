/** What Node, its tools and terminals read for themselves; none of it is a site's. */
const systems =
  /^(?:PATH|HOME|USERPROFILE|SHELL|PWD|TMPDIR|TMP|TEMP|TERM|COLORTERM|NO_COLOR|FORCE_COLOR|CI|TZ|LANG|LC_\w+|NODE_\w+|ESBUILD_\w+|SYSTEMROOT|WINDIR|COMSPEC|PATHEXT)$/i;

/** Whether a variable is one that Node or a terminal reads for itself. */
export const isSystems = (name: string): boolean => systems.test(name);

/** What {@link withDeclaredEnvironment} gives back. */
export interface DeclaredRun<Result> {
  readonly result: Result;
  /** Variables that were asked for, are set, and were not given. */
  readonly withheld: readonly string[];
}

/**
 * Does work that sees, of the environment, only what is declared: to it every other variable is not set. It keeps honest code from
 * reading by accident; code that wants to can find the process's environment elsewhere.
 */
export async function withDeclaredEnvironment<Result>(
  declared: ReadonlySet<string>,
  work: () => Promise<Result>,
): Promise<DeclaredRun<Result>> {
  const real = process.env;
  const withheld = new Set<string>();
  const mayRead = (name: string): boolean => declared.has(name) || isSystems(name);
  process.env = new Proxy(real, {
    get(target, name) {
      if (typeof name !== "string" || mayRead(name)) return target[name as string];
      if (Object.hasOwn(target, name)) withheld.add(name);
      return undefined;
    },
    has: (target, name) => name in target && (typeof name !== "string" || mayRead(name)),
    ownKeys: (target) => Reflect.ownKeys(target).filter((name) => typeof name !== "string" || mayRead(name)),
    getOwnPropertyDescriptor: (target, name) =>
      typeof name !== "string" || mayRead(name) ? Reflect.getOwnPropertyDescriptor(target, name) : undefined,
  });
  try {
    return { result: await work(), withheld: [...withheld].sort() };
  } finally {
    process.env = real;
  }
}
