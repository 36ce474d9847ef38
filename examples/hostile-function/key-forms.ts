/** Whether a text has the key in it, in any of the forms in which somebody would carry it out. */
export function isKeyIn(text: string, key: string): boolean {
  return formsOf(key).some((form) => text.includes(form));
}

/** The key as it is, encoded, and backwards. */
export function formsOf(key: string): string[] {
  const bytes = Buffer.from(key);
  const base64 = ["", "x", "xx"].map((before) =>
    // What stands before it moves the characters of base64: those that only depend on the key are left.
    Buffer.from(before + key)
      .toString("base64")
      .slice(before.length === 0 ? 0 : 4, -4),
  );
  return [
    key,
    ...base64,
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
    Array.from(key).toReversed().join(""),
  ];
}
