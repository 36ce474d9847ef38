import { accessParts } from "../../contract/index.ts";
import type { Access, ContractRoute } from "../../contract/index.ts";
import { countMembers } from "../../shared/index.ts";
import { compileVisibility } from "../access/visibility.ts";
import type { ProblemCode } from "./answers.ts";
import { hasCanary } from "./canaries.ts";
import { saysNoMore, writeKept } from "./json-text.ts";
import { ownsAnswer } from "./ownership.ts";
import { createResponseContract } from "./response-contract.ts";
import type { ResponseContract, ResponseVerdict } from "./response-contract.ts";
import { compileResponseHeaders } from "./response-headers.ts";
import type { Caller, ForwardedAnswer, ForwardedStream } from "../types.ts";

/** What becomes of an upstream's answer. */
export type AnswerVerdict =
  | {
      readonly kind: "released";
      readonly status: number;
      /** Undefined: no body leaves. */
      readonly text: string | undefined;
      /** Declared headers: name, value, name, value … */
      readonly headers: readonly string[];
      /** JSON pointers of what was dropped. */
      readonly dropped: readonly string[];
      /** What its contract minds, though it leaves: its route is observed. */
      readonly observed?: readonly string[];
    }
  /** What comes in parts, each of which is still to be checked. */
  | { readonly kind: "opened"; readonly answer: ForwardedStream; readonly headers: readonly string[] }
  /** There is nothing of that name. */
  | { readonly kind: "missing"; readonly reason?: string }
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

/** Judges an upstream's answer: its status, whose it is, what of it is there for who asked, and whether it is as declared. */
export type JudgeAnswer = (answer: ForwardedAnswer, asked: WhoAsked) => AnswerVerdict;

/** Whom an answer is for. */
export interface WhoAsked {
  readonly caller: Caller | undefined;
  /** Whether it leaves only if it names the caller as its owner. */
  readonly mustOwn: boolean;
}

/** What judging needs to know besides the route. */
export interface AnswerRules {
  /** The site's own, where `location` may lead. */
  readonly origin: string;
  /** What no answer may have in it. */
  readonly canaries: readonly string[];
}

type Answer = Extract<ForwardedAnswer, { kind: "answer" }>;

/** Compiles {@link JudgeAnswer} for a route. */
export function compileAnswer(
  route: ContractRoute,
  { origin, canaries }: AnswerRules,
  observe: (answer: Answer, verdict: AnswerVerdict) => AnswerVerdict = (_, verdict) => verdict,
): JudgeAnswer {
  const { access, visible, response, stream, errors } = route;
  const hold = response === undefined ? undefined : createResponseContract(response);
  const refusals = new Map([...errors].map(([status, schema]) => [status, createResponseContract(schema)]));
  const ownerField = ownerFieldOf(access);
  const see = visible === undefined ? undefined : compileVisibility(visible);
  const releaseHeaders = compileResponseHeaders(route, origin);

  function judge(answer: ForwardedAnswer, asked: WhoAsked): AnswerVerdict {
    if (answer.kind === "failed") return answer;
    if (answer.kind === "stream") return open(answer);
    const { status, value } = answer;
    if (status < 200 || status > 299) return observe(answer, judgeError(answer, refusals.get(status)));
    if (stream !== undefined) return { ...unusable, reason: "it does not come as declared" };
    if (ownerField !== undefined && asked.mustOwn && !ownsAnswer(value, ownerField, asked.caller?.subject))
      return foreign;
    if (see === undefined) return observe(answer, leave(answer));
    const part = see(value, asked.caller);
    if (part.kind === "none") return notThere;
    // Its text has what is not there.
    const seen = part.kind === "all" ? answer : { ...answer, value: part.value, text: undefined };
    return observe(seen, leave(seen));
  }

  function leave(answer: Answer): AnswerVerdict {
    const { status, value } = answer;
    const headers = releaseHeaders?.(answer.headers) ?? nothing;
    if (typeof headers === "string") return notAsDeclared([`headers/${headers}`]);
    if (hold === undefined)
      return released(status, undefined, headers, value === undefined ? nothing : wholeBody);
    const verdict = hold(value);
    if (verdict.kind === "refused") return value === undefined ? empty : notAsDeclared(verdict.fields);
    return released(status, textOf(verdict, answer), headers, verdict.dropped);
  }

  function open(answer: ForwardedStream): AnswerVerdict {
    const headers = releaseHeaders?.(answer.headers) ?? nothing;
    return typeof headers === "string"
      ? notAsDeclared([`headers/${headers}`])
      : { kind: "opened", answer, headers };
  }

  if (canaries.length === 0) return judge;
  return (answer, asked) => {
    const verdict = judge(answer, asked);
    if (verdict.kind !== "released" && verdict.kind !== "opened") return verdict;
    const text = verdict.kind === "released" ? verdict.text : undefined;
    const isMarked =
      (text !== undefined && hasCanary(text, canaries)) ||
      verdict.headers.some((header) => hasCanary(header, canaries));
    return isMarked ? marked : verdict;
  };
}

const nothing: readonly string[] = [];
const wholeBody: readonly string[] = [""];

const unusable = { kind: "failed", code: "GATEWAY_ANSWER_INVALID" } as const;

/** The field that says whose an answer is, wherever the condition stands. */
const ownerFieldOf = (access: Access): string | undefined =>
  accessParts(access).flatMap((part) => (part.kind === "ownerField" ? [part.field] : []))[0];

const notThere: AnswerVerdict = { kind: "missing", reason: "it is not visible to who asked" };

// As if it did not exist: that it does is somebody else's business.
const foreign: AnswerVerdict = {
  kind: "held",
  code: "GATEWAY_NOT_FOUND",
  reason: "it belongs to another subject, or names none",
  isOwners: true,
};

const marked: AnswerVerdict = {
  kind: "held",
  code: "GATEWAY_ANSWER_INVALID",
  reason: "it has a canary in it",
  isOwners: true,
};

const notAsDeclared = (fields: readonly string[]): AnswerVerdict => ({
  kind: "held",
  code: "GATEWAY_ANSWER_INVALID",
  reason: "it is not as declared",
  fields,
  isOwners: false,
});

/** Nothing is what a function answers that forgot its `return`. */
const empty: AnswerVerdict = {
  kind: "held",
  code: "GATEWAY_ANSWER_INVALID",
  reason: "it has no body",
  isOwners: false,
};

/** An error's own words leave only if the contract says what they are. */
function judgeError(answer: Answer, hold: ResponseContract | undefined): AnswerVerdict {
  const { status } = answer;
  if (hold !== undefined) {
    const verdict = hold(answer.value);
    if (verdict.kind === "refused") return notAsDeclared(verdict.fields);
    return {
      kind: "released",
      status,
      text: textOf(verdict, answer),
      headers: nothing,
      dropped: verdict.dropped,
    };
  }
  if (status === 404 || status === 410) return { kind: "missing" };
  const isRefusal = status >= 400 && status < 500;
  const code = isRefusal ? "GATEWAY_UPSTREAM_REFUSED" : "GATEWAY_ANSWER_INVALID";
  return { kind: "failed", code, reason: `it answered ${status}` };
}

/** The upstream's own text where nothing in it had to go, so that what it wrote leaves to the letter, and nothing is written twice. */
function textOf(
  { value, isWhole }: Extract<ResponseVerdict, { kind: "kept" }>,
  { text }: Answer,
): string | undefined {
  if (value === undefined) return undefined;
  if (isWhole && text !== undefined && saysNoMore(text, countMembers(value))) return text;
  return writeKept(value, text);
}

function released(
  status: number,
  text: string | undefined,
  headers: readonly string[],
  dropped: readonly string[],
): AnswerVerdict {
  return { kind: "released", status: releasedStatus(status, text !== undefined), text, headers, dropped };
}

/**
 * The status that a success leaves with. 200, 201 and 202 say something to whoever asked; what else an upstream may say
 * (203, 206 …) speaks of an exchange that this one is not. Without a body 200 is 204.
 */
function releasedStatus(status: number, hasBody: boolean): number {
  if (status === 201 || status === 202) return status;
  return hasBody ? 200 : 204;
}
