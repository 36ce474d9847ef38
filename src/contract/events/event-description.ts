/** How much an event matters: `notice` is worth keeping, `warning` worth a look, `alert` worth waking somebody. */
export type Severity = "notice" | "warning" | "alert";

/** What kind of value an event's field holds. */
type FieldKind = "text" | "number" | "texts";

/** An event as the catalogue has it. */
export interface EventDescription {
  readonly severity: Severity;
  readonly says: string;
  readonly fields: Readonly<Record<string, FieldKind>>;
}
