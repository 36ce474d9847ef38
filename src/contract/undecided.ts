import type { Access } from "./access.ts";

/**
 * Says that nobody has decided yet who may call a route: `curtainwall contract import` writes it where a description asks for nothing. A
 * contract that has it is refused until somebody writes {@link everyone} or a condition.
 */
// It is none of the kinds that there are, so that whatever reads it refuses.
export const undecided = Object.freeze({ kind: "undecided" }) as unknown as Access;

/** Tells whether a value is {@link undecided}. */
export const isUndecided = (value: unknown): boolean =>
  typeof value === "object" && value !== null && "kind" in value && value.kind === "undecided";
