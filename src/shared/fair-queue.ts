/** Whoever waits in one line of a {@link FairQueue}. */
export interface Waiting {
  /** Lets it go on. */
  readonly pass: () => void;
  /** Sends it away: there is no room for it any more. */
  readonly leave: () => void;
}

/** One client's place in a line: what it has waiting there, oldest first. */
interface Flow {
  readonly line: Line;
  readonly client: string;
  readonly waiting: Set<Waiting>;
}

/** A line: its clients take turns. */
interface Line {
  readonly key: string;
  /** The client whose turn it is comes first. */
  readonly flows: Map<string, Flow>;
}

/** A bounded queue of many lines, each with a turn for every client in it. */
export interface FairQueue {
  /**
   * Takes one in. Where there is no room, the client with the most waiting loses what has waited longest and is nearest to giving up; if
   * that is this client, its newcomer is not taken.
   *
   * @returns how it can be taken out again; undefined if it was not taken
   */
  add(line: string, client: string, waiting: Waiting): (() => boolean) | undefined;
  /** Takes out whose turn it is in a line. */
  next(line: string): Waiting | undefined;
  has(line: string): boolean;
  /** Takes out all. */
  clear(): Waiting[];
  readonly size: number;
}

/** Creates a queue of at most `capacity`. Each step takes the same time, however many wait. */
export function createFairQueue(capacity: number): FairQueue {
  const lines = new Map<string, Line>();
  /** Flows by how much they have waiting, so that the longest is found at once. */
  const byLength: Set<Flow>[] = [];
  let longest = 0;
  let size = 0;

  function resize(flow: Flow, change: 1 | -1): void {
    const length = flow.waiting.size;
    byLength[length - change]?.delete(flow);
    if (length > 0) (byLength[length] ??= new Set()).add(flow);
    longest = Math.max(longest, length);
    while (longest > 0 && (byLength[longest]?.size ?? 0) === 0) longest--;
    size += change;
  }

  function take(flow: Flow, waiting: Waiting): boolean {
    if (!flow.waiting.delete(waiting)) return false;
    resize(flow, -1);
    if (flow.waiting.size > 0) return true;
    flow.line.flows.delete(flow.client);
    if (flow.line.flows.size === 0) lines.delete(flow.line.key);
    return true;
  }

  /** Makes room at the expense of whoever takes the most. */
  function makeRoom(newcomers: number): boolean {
    if (newcomers >= longest) return false;
    const [flow] = byLength[longest] ?? [];
    const [oldest] = flow?.waiting ?? [];
    if (flow === undefined || oldest === undefined) return false;
    take(flow, oldest);
    oldest.leave();
    return true;
  }

  return {
    add(key, client, waiting) {
      const there = lines.get(key)?.flows.get(client);
      if (size >= capacity && !makeRoom((there?.waiting.size ?? 0) + 1)) return undefined;
      const line = lines.get(key) ?? { key, flows: new Map<string, Flow>() };
      const flow = line.flows.get(client) ?? { line, client, waiting: new Set<Waiting>() };
      lines.set(key, line);
      line.flows.set(client, flow);
      flow.waiting.add(waiting);
      resize(flow, 1);
      return () => take(flow, waiting);
    },
    next(key) {
      const line = lines.get(key);
      const [flow] = line?.flows.values() ?? [];
      const [first] = flow?.waiting ?? [];
      if (line === undefined || flow === undefined || first === undefined) return undefined;
      // Behind the others, if it has more.
      line.flows.delete(flow.client);
      if (flow.waiting.size > 1) line.flows.set(flow.client, flow);
      take(flow, first);
      return first;
    },
    has: (key) => lines.has(key),
    clear() {
      const all = [...lines.values()].flatMap(({ flows }) =>
        [...flows.values()].flatMap(({ waiting }) => [...waiting]),
      );
      lines.clear();
      byLength.length = 0;
      longest = 0;
      size = 0;
      return all;
    },
    get size() {
      return size;
    },
  };
}
