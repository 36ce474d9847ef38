// Functions that must not type-check: each comment says what the compiler answers to the line below it.
import { defineFunction, fail } from "curtainwall/functions";
import type { contract } from "./functions-accepted.ts";

type Contract = typeof contract;

// @ts-expect-error: does not satisfy the constraint
export const unknownRoute = defineFunction<Contract, "POST /api/contct">(() => ({ sent: true }));

// @ts-expect-error: Type 'string' is not assignable to type 'boolean'
export const anotherAnswer = defineFunction<Contract, "POST /api/contact">(() => ({ sent: "yes" }));

// @ts-expect-error
export const halfAnAnswer = defineFunction<Contract, "POST /api/contact">(async () => ({}));

export const misspeltField = defineFunction<Contract, "POST /api/contact">(({ body }) => {
  // @ts-expect-error: Property 'txt' does not exist
  return { sent: body.txt };
});

// @ts-expect-error
export const undeclaredStatus = defineFunction<Contract, "POST /api/contact">(() => fail(418, "a pot"));

// @ts-expect-error
export const refusalOfAnotherShape = defineFunction<Contract, "POST /api/contact">(() => fail(409, 1));
