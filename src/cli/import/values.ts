/** Any value of a document, of which nothing is known. */
export type Members = Readonly<Record<string, unknown>>;

export const isMembers = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A member of a document's object, never one of its prototype's. */
export const member = (value: unknown, name: string): unknown =>
  isMembers(value) && Object.hasOwn(value, name) ? value[name] : undefined;

export const membersAt = (value: unknown, name: string): Members => {
  const found = member(value, name);
  return isMembers(found) ? found : {};
};

export const listAt = (value: unknown, name: string): readonly unknown[] => {
  const found = member(value, name);
  return Array.isArray(found) ? found : [];
};

export const textAt = (value: unknown, name: string): string | undefined => {
  const found = member(value, name);
  return typeof found === "string" ? found : undefined;
};

/** A finite number; YAML has others. */
export const numberAt = (value: unknown, name: string): number | undefined => {
  const found = member(value, name);
  return typeof found === "number" && Number.isFinite(found) ? found : undefined;
};

/** How many: of characters, of elements. */
export const countAt = (value: unknown, name: string): number | undefined => {
  const found = numberAt(value, name);
  return found !== undefined && Number.isSafeInteger(found) && found >= 0 ? found : undefined;
};
