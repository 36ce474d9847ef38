import type { ContractRoute } from "../../contract/index.ts";
import type { ProblemCode } from "./answers.ts";
import { ownsAnswer } from "./ownership.ts";
import { createResponseContract } from "./response-contract.ts";
import type { ForwardedAnswer } from "../types.ts";

/** What becomes of an upstream's answer. */
export type AnswerVerdict =
  | {
      readonly kind: "released";
      readonly status: number;
      /** Undefined: no body leaves. */
      readonly text: string | undefined;
      /** JSON pointers of what was dropped. */
      readonly dropped: readonly string[];
    }
  /** There is nothing of that name. */
  | { readonly kind: "missing" }
  /** The upstream is to blame. */
  | { readonly kind: "failed"; readonly code: ProblemCode; readonly reason: string }
  /** The answer itself may not leave. */
  | {
      readonly kind: "held";
      readonly code: ProblemCode;
      readonly reason: string;
      readonly fields?: readonly string[];
      /** Whether the log names who asked. */
      readonly isOwners: boolean;
    };

/** Judges an upstream's answer: its status, whose it is, and whether it is as declared. */
export type JudgeAnswer = (answer: ForwardedAnswer, subject: string | undefined) => AnswerVerdict;

/** Compiles {@link JudgeAnswer} for a route. */
export function compileAnswer({ access, response }: ContractRoute): JudgeAnswer {
  const hold = response === undefined ? undefined : createResponseContract(response);
  const ownerField = access.kind === "ownerField" ? access.field : undefined;
  return (answer, subject) => {
    if (answer.kind === "failed") return answer;
    const { status, value } = answer;
    if (status < 200 || status > 299) return judgeError(status);
    if (ownerField !== undefined && !ownsAnswer(value, ownerField, subject)) return foreign;
    if (hold === undefined) return released(status, undefined, value === undefined ? nothing : wholeBody);
    const verdict = hold(value);
    return verdict.kind === "kept"
      ? released(status, verdict.value, verdict.dropped)
      : notAsDeclared(verdict.fields);
  };
}

const nothing: readonly string[] = [];
const wholeBody: readonly string[] = [""];

// As if it did not exist: that it does is somebody else's business.
const foreign: AnswerVerdict = {
  kind: "held",
  code: "GATEWAY_NOT_FOUND",
  reason: "it belongs to another subject, or names none",
  isOwners: true,
};

const notAsDeclared = (fields: readonly string[]): AnswerVerdict => ({
  kind: "held",
  code: "GATEWAY_ANSWER_INVALID",
  reason: "it is not as declared",
  fields,
  isOwners: false,
});

function judgeError(status: number): AnswerVerdict {
  if (status === 404 || status === 410) return { kind: "missing" };
  const isRefusal = status >= 400 && status < 500;
  const code = isRefusal ? "GATEWAY_UPSTREAM_REFUSED" : "GATEWAY_ANSWER_INVALID";
  return { kind: "failed", code, reason: `it answered ${status}` };
}

function released(status: number, value: unknown, dropped: readonly string[]): AnswerVerdict {
  const text = value === undefined ? undefined : JSON.stringify(value);
  return { kind: "released", status: releasedStatus(status, text !== undefined), text, dropped };
}

/**
 * The status that a success leaves with. 200, 201 and 202 say something to whoever asked; what else an upstream may say
 * (203, 206 …) speaks of an exchange that this one is not. Without a body 200 is 204.
 */
function releasedStatus(status: number, hasBody: boolean): number {
  if (status === 201 || status === 202) return status;
  return hasBody ? 200 : 204;
}
