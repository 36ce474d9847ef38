/** What was found out lately, by the text that it was found out about. */
export interface Recent<Value> {
  /** What is remembered of a text, else what `make` makes of it, which is remembered from then on. */
  get(key: string, make: (key: string) => Value): Value;
}

/**
 * Remembers up to twice `max` values. What was asked for since the last `max` new ones came is still there: sites repeat themselves
 * from page to page, and what one page has alone must not push out what all have.
 */
export function createRecent<Value extends string | object>(max: number): Recent<Value> {
  let young = new Map<string, Value>();
  let old = new Map<string, Value>();
  return {
    get(key, make) {
      const fresh = young.get(key);
      if (fresh !== undefined) return fresh;
      const value = old.get(key) ?? make(key);
      if (young.size >= max) {
        old = young;
        young = new Map();
      }
      young.set(key, value);
      return value;
    },
  };
}
