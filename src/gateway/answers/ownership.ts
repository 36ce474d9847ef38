import { valueAt } from "../access/value-at.ts";

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
