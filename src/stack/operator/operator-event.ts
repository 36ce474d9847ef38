import { parseSecurityEvent } from "../../contract/events.ts";
import type { SecurityEvent } from "../../contract/events.ts";

/** What an operator asked for, as it is recorded. */
export type OperatorEvent = Extract<SecurityEvent, { type: `operator.${string}` }>;

/** What came back: the number of its record on disk, or why it has none. */
export type OperatorAnswer = { readonly seq: number } | { readonly reason: string };

/** Reads one. Undefined if it is none: whoever may connect to the socket can't write anything else into the log. */
export function parseOperatorEvent(value: unknown): OperatorEvent | undefined {
  const event = parseSecurityEvent(value);
  return event?.type.startsWith("operator.") === true ? (event as OperatorEvent) : undefined;
}
