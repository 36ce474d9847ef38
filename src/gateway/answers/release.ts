import type { ContractRoute } from "../../contract/index.ts";
import type { OpenStreams } from "../streams/open-streams.ts";
import type { Observation } from "../observe/observations.ts";
import { compileObservedAnswer } from "../observe/observed-answer.ts";
import { compileStream } from "../streams/route-stream.ts";
import type { ForwardedAnswer } from "../types.ts";
import { entityTagOf, namesTag } from "./entity-tag.ts";
import { compileAnswer } from "./released-answer.ts";
import type { AnswerRules, AnswerVerdict } from "./released-answer.ts";
import type { AnswerSurroundings, Passage, RouteAnswers } from "./route-answers.ts";
import type { TrimmedAnswers } from "./trimmed-answers.ts";

/** What releasing answers needs besides the route. */
export interface ReleaseSurroundings extends AnswerSurroundings, AnswerRules {
  /** Shortens a text so that no two have the same; for entity tags. */
  readonly digest: ((text: string) => string) | undefined;
  readonly openStreams: OpenStreams;
  readonly trimmed: Pick<TrimmedAnswers, "of">;
}

/** Lets what an upstream answered leave, as far as it may. @param id the one that the upstream was given */
export type Release = (passage: Passage, id: string, answer: ForwardedAnswer) => void;

type Verdict<Kind> = Extract<AnswerVerdict, { kind: Kind }>;

/** Compiles {@link Release} for a route. */
export function compileRelease(
  route: ContractRoute,
  { succeed, begin, refuse, fail }: RouteAnswers,
  surroundings: ReleaseSurroundings,
  observation?: Observation,
): Release {
  const { events, now, digest, openStreams } = surroundings;
  if (route.etag && digest === undefined) throw new Error(`No digest for the ETag of ${route.key}`);
  const judgeAnswer = compileAnswer(
    route,
    surroundings,
    observation && compileObservedAnswer(route, observation),
  );
  const noteTrimmed = surroundings.trimmed.of(route.key);
  const checkStream = compileStream(route, { ...surroundings, noteTrimmed });

  function release(
    passage: Passage,
    id: string,
    { status, text, headers, dropped, observed }: Omit<Verdict<"released">, "kind">,
  ): void {
    if (observed !== undefined) observation?.note("GATEWAY_ANSWER_INVALID", observed, id);
    if (dropped.length > 0) noteTrimmed(id, dropped);
    if (!route.etag || digest === undefined || text === undefined || status > 299)
      return succeed(passage, status, text, headers);
    const tag = entityTagOf(text, digest);
    const tagged = [...headers, "etag", tag];
    if (namesTag(passage.request.header("if-none-match"), tag)) succeed(passage, 304, undefined, tagged);
    else succeed(passage, status, text, tagged);
  }

  function open(passage: Passage, id: string, { answer, headers }: Verdict<"opened">): void {
    const onOver = openStreams.open(passage.request.remoteAddress);
    const checked =
      onOver === undefined
        ? undefined
        : (checkStream?.(answer, id, onOver) ?? "it does not come as declared");
    if (typeof checked === "object") return begin(passage, [...headers, ...checked.headers], checked.stream);
    answer.stream.cancel();
    onOver?.();
    if (checked === undefined)
      return refuse(passage, { code: "GATEWAY_STREAMS_EXHAUSTED", headers: ["retry-after", "5"] }, id);
    events({ type: "gateway.answer.refused", time: now(), id, route: route.key, reason: checked });
    fail(passage, "GATEWAY_ANSWER_INVALID", id);
  }

  function hold(passage: Passage, id: string, { code, reason, fields, isOwners }: Verdict<"held">): void {
    const who = isOwners ? { subject: passage.caller?.subject } : {};
    const what = fields === undefined ? {} : { fields };
    events({ type: "gateway.answer.refused", time: now(), id, route: route.key, reason, ...who, ...what });
    fail(passage, code, id);
  }

  const keeps = route.cache !== undefined;
  return (passage, id, answer) => {
    const verdict = judgeAnswer(answer, passage);
    if (answer.kind === "stream" && verdict.kind !== "opened") answer.stream.cancel();
    switch (verdict.kind) {
      case "released":
        return release(passage, id, keeps ? withOrigin(verdict, answer) : verdict);
      case "opened":
        return open(passage, id, verdict);
      case "missing":
        return refuse(passage, { code: "GATEWAY_NOT_FOUND", ...reasonOf(verdict) }, id);
      case "failed": {
        const { code, reason } = verdict;
        const upstream = route.to;
        events({ type: "gateway.upstream.failed", time: now(), id, route: route.key, upstream, reason });
        return fail(passage, code, id);
      }
      case "held":
        return hold(passage, id, verdict);
    }
  };
}

/** Says of an answer whether it was kept, and since when. */
function withOrigin(verdict: Verdict<"released">, answer: ForwardedAnswer): Verdict<"released"> {
  const about = answer.kind === "answer" ? answer.about : undefined;
  return about === undefined ? verdict : { ...verdict, headers: [...verdict.headers, ...about] };
}

const reasonOf = ({ reason }: Verdict<"missing">): { reason?: string } =>
  reason === undefined ? {} : { reason };
