/**
 * Tells whether an answer belongs to a subject: the field holds exactly the subject, in the object or in every element of
 * the list. An answer without the field belongs to nobody; an empty list belongs to anybody.
 */
export function ownsAnswer(answer: unknown, field: string, subject: string | undefined): boolean {
  if (subject === undefined) return false;
  const path = field.split(".");
  if (Array.isArray(answer)) return answer.every((element) => valueAt(element, path) === subject);
  return valueAt(answer, path) === subject;
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  let current = value;
  for (const step of path) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, step)) return undefined;
    current = (current as Record<string, unknown>)[step];
  }
  return current;
}
