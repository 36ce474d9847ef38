type Texts = Readonly<Record<string, string | readonly string[]>>;

/**
 * Checked values of a query as the texts that travel: a number is written in the one way in which everybody reads it, not as `2000000e-2`, which is
 * twenty thousand to some and two million to others. What a schema made of nothing stays away.
 */
export function textsOf(checked: object, given: Texts): Texts {
  return Object.fromEntries(
    Object.entries(checked).flatMap(([name, value]: [string, unknown]): [string, string | string[]][] => {
      if (value === undefined || value === null) return [];
      const came = [given[name] ?? ""].flat();
      if (!Array.isArray(value)) return [[name, textOf(value, came[0])]];
      return [[name, value.map((entry: unknown, index) => textOf(entry, came[index]))]];
    }),
  );
}

/** What a schema made an object of travels as it came. */
function textOf(value: unknown, given = ""): string {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
    case "boolean":
    case "bigint":
      return String(value);
    default:
      return value instanceof Date ? value.toISOString() : given;
  }
}
