import type { z } from "zod";
import type { FieldFault, ProblemCode } from "./answers.ts";
import { pointer } from "./response-contract.ts";

/** Why a request is not let through: what a check returns instead of throwing. */
export interface Refusal {
  readonly code: ProblemCode;
  /** For the log. */
  readonly reason?: string;
  /** What is wrong with which field. */
  readonly errors?: readonly FieldFault[];
  /** Further headers of the answer: name, value, name, value … */
  readonly headers?: readonly string[];
}

const maxFaults = 20;

/** Refuses an input for one fault. */
export const refuseInput = (place: string, detail: string): Refusal => ({
  code: "GATEWAY_INPUT_INVALID",
  errors: [{ pointer: place, detail }],
});

/**
 * Refuses an input for what its schema found: names the fields that are wrong and says how, in our words, since a schema's
 * own messages could echo what was sent.
 */
export const refuseIssues = (place: string, issues: readonly z.core.$ZodIssue[]): Refusal => ({
  code: "GATEWAY_INPUT_INVALID",
  errors: issues.slice(0, maxFaults).map((issue) => ({
    pointer: place + pointer(issue.path),
    detail: faultWords[issue.code] ?? "It is not as described",
  })),
});

const faultWords: Partial<Record<z.core.$ZodIssue["code"], string>> = {
  invalid_type: "It is missing or has the wrong type",
  too_big: "It is too large",
  too_small: "It is too small",
  invalid_format: "It has the wrong form",
  unrecognized_keys: "It has a field that is not described",
  invalid_value: "It is none of the accepted values",
};
