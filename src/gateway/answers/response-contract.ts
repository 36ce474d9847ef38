import { z } from "zod";
import { closeObjects } from "../../contract/index.ts";
import type { Schema } from "../../contract/index.ts";
import { createExactCheck } from "../input/exact-check.ts";

/** What a {@link ResponseContract} says of an answer. */
export type ResponseVerdict =
  | {
      readonly kind: "kept";
      readonly value: unknown;
      /** Whether it is to the letter what was checked. */
      readonly isWhole: boolean;
      /** JSON pointers of what was dropped. */ readonly dropped: readonly string[];
    }
  | {
      readonly kind: "refused";
      /** JSON pointers of what has the wrong type. */ readonly fields: readonly string[];
    };

/** Holds answers to their declared schema. */
export type ResponseContract = (value: unknown) => ResponseVerdict;

const nothing: readonly string[] = [];
const maxNamed = 20;

/**
 * Compiles a response schema. An answer as declared passes in one check; one with more is cut down to what is declared and
 * says what was dropped; one that lacks a declared field, or has it with another type, is refused.
 */
export function createResponseContract(schema: Schema): ResponseContract {
  const exact = closeObjects(schema, "refuse");
  const isExact = createExactCheck(exact);
  const judge: ResponseContract = (value) => {
    if (isExact?.(value)) return { kind: "kept", value, isWhole: true, dropped: nothing };
    const asDeclared = z.core.safeParse(exact, value);
    if (asDeclared.success) return { kind: "kept", value: asDeclared.data, isWhole: false, dropped: nothing };
    const trimmed = z.core.safeParse(schema, value);
    if (trimmed.success)
      return {
        kind: "kept",
        value: trimmed.data,
        isWhole: false,
        dropped: listDropped(value, trimmed.data),
      };
    return {
      kind: "refused",
      fields: trimmed.error.issues.slice(0, maxNamed).map((issue) => pointer(issue.path)),
    };
  };
  return (value) => {
    try {
      return judge(value);
    } catch {
      // A check of the contract's own threw, or the answer is nested too deeply to be checked.
      return { kind: "refused", fields: nothing };
    }
  };
}

/** A name that a contract would choose. In a record the sender chooses the names, and could put anything there. */
const ordinaryName = /^[\w$ .:-]{1,64}$/;

/** A path as a JSON pointer (RFC 6901); a name that is out of the ordinary is written as `*`. */
export function pointer(path: readonly PropertyKey[]): string {
  return path.map((step) => `/${ordinaryName.test(String(step)) ? String(step) : "*"}`).join("");
}

/** Names what the first value has and the second does not. */
function listDropped(before: unknown, after: unknown): string[] {
  const dropped = new Set<string>();
  const visit = (left: unknown, right: unknown, path: readonly PropertyKey[]): void => {
    if (typeof left !== "object" || left === null || typeof right !== "object" || right === null) return;
    for (const [key, member] of Object.entries(left)) {
      if (dropped.size >= maxNamed) return;
      // One name for all elements of a list, since they tend to agree.
      const step = [...path, Array.isArray(left) ? "*" : key];
      if (!Object.hasOwn(right, key)) dropped.add(pointer(step));
      else visit(member, (right as Record<string, unknown>)[key], step);
    }
  };
  visit(before, after, []);
  return [...dropped];
}
