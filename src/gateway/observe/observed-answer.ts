import { accessParts, isSensitiveName, sensitiveFields } from "../../contract/index.ts";
import type { ContractRoute } from "../../contract/index.ts";
import { countMembers } from "../../shared/index.ts";
import { saysNoMore, writeKept } from "../answers/json-text.ts";
import type { AnswerVerdict } from "../answers/released-answer.ts";
import { pointer } from "../answers/response-contract.ts";
import type { ForwardedAnswer } from "../types.ts";
import type { Observation } from "./observations.ts";

type Answer = Extract<ForwardedAnswer, { kind: "answer" }>;

/** What leaves of an answer that its contract cuts down or holds back: all of it, without what its name says must not leave. */
export type ObserveAnswer = (answer: Answer, verdict: AnswerVerdict) => AnswerVerdict;

/** Statuses that a client was refused with: what they say is the upstream's business, the gateway's own aside. */
const ownStatuses = new Set([401, 404, 407, 408, 410, 413, 415, 421, 429, 431]);

/** Compiles {@link ObserveAnswer}. Whose an answer is, and what of it is there for who asked, was decided before. */
export function compileObservedAnswer(route: ContractRoute, observation: Observation): ObserveAnswer {
  const { response, visible, hide, access } = route;
  // A service that says "not yours" says that it is there.
  const tellsNoErrors =
    visible !== undefined || hide === true || accessParts(access).some(({ kind }) => kind === "ownerField");
  const declared = response === undefined ? [] : sensitiveFields(response);
  const releasedNames = new Set(declared.map((at) => at.split("/").at(-1) ?? ""));
  return (answer, verdict) => {
    const { status, value, text } = answer;
    const isError = status > 299;
    const found = isError && tellsNoErrors ? undefined : faultOf(answer, verdict);
    if (found === undefined || (value === undefined && !isError) || !observation.isOn()) return verdict;
    const dropped: string[] = [];
    const kept = tryWithoutSensitive(value, releasedNames, dropped);
    // What nobody can look through to its end is enforced.
    if (kept === tooDeep) return verdict;
    const isWhole = dropped.length === 0 && text !== undefined && saysNoMore(text, countMembers(value));
    return {
      kind: "released",
      status: isError || status === 201 || status === 202 ? status : 200,
      text: value === undefined ? undefined : isWhole ? text : writeKept(kept, text),
      headers: verdict.kind === "released" ? verdict.headers : [],
      dropped,
      observed: found,
    };
  };
}

/** What the contract minds, if it is the shape of what the upstream says. */
function faultOf({ status }: Answer, verdict: AnswerVerdict): readonly string[] | undefined {
  if (verdict.kind === "released") return verdict.dropped.length > 0 ? verdict.dropped : undefined;
  if (verdict.kind === "held" && !verdict.isOwners) return verdict.fields ?? [];
  if (verdict.kind === "failed" && status >= 400 && status < 500 && !ownStatuses.has(status))
    return [`status/${status}`];
  return undefined;
}

const maxDepth = 64;
const tooDeep = new Error("it is nested too deeply");

function tryWithoutSensitive(value: unknown, releasedNames: ReadonlySet<string>, dropped: string[]): unknown {
  try {
    return withoutSensitive(value, releasedNames, [], dropped);
  } catch (error) {
    if (error === tooDeep) return tooDeep;
    throw error;
  }
}

function withoutSensitive(
  value: unknown,
  releasedNames: ReadonlySet<string>,
  path: readonly string[],
  dropped: string[],
): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (path.length > maxDepth) throw tooDeep;
  if (Array.isArray(value))
    return value.map((entry) => withoutSensitive(entry, releasedNames, [...path, "*"], dropped));
  const kept: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    if (isSensitiveName(name) && !releasedNames.has(name)) {
      const place = pointer([...path, name]);
      if (dropped.length < 20 && !dropped.includes(place)) dropped.push(place);
    } else if (name !== "__proto__")
      kept[name] = withoutSensitive(member, releasedNames, [...path, name], dropped);
  }
  return kept;
}
