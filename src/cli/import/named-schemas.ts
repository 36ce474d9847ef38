import { namesIn, plainText } from "./code.ts";
import type { Code, NamedSchema } from "./code.ts";
import type { Converted, Use } from "./schema.ts";

/** Schemas that the document names, and that the contract names too. */
export interface NamedSchemas {
  /**
   * The schema of a pointer; where it is being converted already, so that it contains itself, a look at it later on. Undefined: nothing is known of it.
   *
   * @param convert called once for each direction
   */
  get(pointer: string, use: Exclude<Use, "text">, convert: () => Converted): Code | undefined;
  /** Gives all of them their names, and returns what declares those that are used, in order. */
  declare(used: readonly Code[]): Declaration[];
}

/** One schema that is declared by name. */
export interface Declaration {
  readonly name: string;
  readonly code: Code;
  readonly notes: readonly string[];
  /** Whether it contains itself: then its type must be said. */
  readonly isRecursive: boolean;
}

interface Entry {
  readonly named: NamedSchema;
  readonly pointer: string;
  readonly use: "json" | "output";
  state: "open" | "done" | "unknown";
  isRecursive: boolean;
  code: Code;
  notes: readonly string[];
}

/** Keeps the schemas that have names. */
export function createNamedSchemas(): NamedSchemas {
  const entries = new Map<string, Entry>();
  const byName = new Map<NamedSchema, Entry>();
  /** As they were finished: each after those that it contains. */
  const order: Entry[] = [];

  function get(pointer: string, use: "json" | "output", convert: () => Converted): Code | undefined {
    const known = entries.get(`${use} ${pointer}`);
    if (known?.state === "unknown") return undefined;
    if (known?.state === "open") {
      known.isRecursive = true;
      return ["z.lazy(() => ", known.named, ")"];
    }
    if (known !== undefined) return known.named;
    // Until it has a name, what it is compared by.
    const named: NamedSchema = { kind: "named", name: pointer };
    const entry: Entry = { named, pointer, use, state: "open", isRecursive: false, code: "", notes: [] };
    entries.set(`${use} ${pointer}`, entry);
    byName.set(named, entry);
    const { code, notes } = convert();
    // What contains itself and is known to that extent only has no fields at all.
    if (code === undefined && !entry.isRecursive) {
      entry.state = "unknown";
      return undefined;
    }
    Object.assign(entry, { state: "done", code: code ?? "z.object({})", notes });
    order.push(entry);
    return named;
  }

  /** Requests and answers share a schema where it says the same of both, and so does all that it contains. */
  function twins(): Map<Entry, Entry> {
    const same = new Map<Entry, Entry>();
    for (const entry of order) {
      const other = entries.get(`output ${entry.pointer}`);
      if (entry.use === "json" && other?.state === "done" && plainText(entry.code) === plainText(other.code))
        same.set(entry, other);
    }
    for (let changed = true; changed;) {
      changed = false;
      for (const entry of same.keys()) {
        let isSame = true;
        namesIn(entry.code, (named) => (isSame &&= same.has(byName.get(named) as Entry)));
        if (!isSame) changed = same.delete(entry);
      }
    }
    return same;
  }

  function declare(used: readonly Code[]): Declaration[] {
    const same = twins();
    const reached = new Set<Entry>();
    const reach = (code: Code): void =>
      namesIn(code, (named) => {
        const entry = byName.get(named) as Entry;
        const chosen = same.get(entry) ?? entry;
        if (reached.has(chosen)) return;
        reached.add(chosen);
        reach(chosen.code);
      });
    used.forEach(reach);
    const taken = { names: new Set<string>(reservedNames), counts: new Map<string, number>() };
    const declared = ["output", "json"].flatMap((use) =>
      order.filter((entry) => entry.use === use && reached.has(entry)),
    );
    for (const entry of declared) {
      const base = identifierOf(entry.pointer);
      const isSecond = entry.use === "json" && reached.has(entries.get(`output ${entry.pointer}`) as Entry);
      entry.named.name = firstFree(isSecond ? `${base}Input` : base, taken);
    }
    for (const [entry, other] of same) entry.named.name = other.named.name;
    return declared.map(({ named, code, notes, isRecursive }) => ({
      name: named.name,
      code,
      notes,
      isRecursive,
    }));
  }

  return { get, declare };
}

/** Names of the language's own, which a reader would take for them. */
const reservedNames = [...Object.getOwnPropertyNames(globalThis), "Plain"].filter((name) =>
  /^[A-Z]/.test(name),
);

/** `#/components/schemas/order-line` as `OrderLine`. */
function identifierOf(pointer: string): string {
  const last = pointer.split("/").at(-1) ?? "";
  const words = last.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  const name = words
    .map((word) => word[0]?.toUpperCase() + word.slice(1))
    .join("")
    .slice(0, 60);
  return /^[A-Z]/.test(name) ? name : `Schema${name}`;
}

/** @param counts where to go on for a name that was wanted before: thousands may want the same */
function firstFree(
  wanted: string,
  { names, counts }: { names: Set<string>; counts: Map<string, number> },
): string {
  let name = names.has(wanted) ? `${wanted}Schema` : wanted;
  let count = counts.get(wanted) ?? 2;
  for (; names.has(name); count++) name = `${wanted}${count}`;
  counts.set(wanted, count);
  names.add(name);
  return name;
}
