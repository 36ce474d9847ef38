const values = new WeakMap<Secret, string>();

/**
 * A value that must not be printed. Every way of turning it into text gives `[secret]`; only
 * {@link revealSecret} gives the value, so a search for that name finds every use.
 */
export class Secret {
  constructor(value: string) {
    values.set(this, value);
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "[secret]";
  }
}

/** Gives the value of a {@link Secret}. Call it at the last moment, and keep what it returns in no variable that outlives the use. */
export function revealSecret(secret: Secret): string {
  return values.get(secret) ?? "";
}
