import type { Passage } from "../answers/route-answers.ts";
import type { Refusal } from "../answers/refusal.ts";
import type { BodyStream, ForwardedAnswer } from "../types.ts";

/** Is told what the upstream answered; undefined: it was not asked. Called once. */
export type Finish = (answer: ForwardedAnswer | undefined) => void;

/** What came of a {@link Hold}: why the request goes no further, or what is to be done when it is over. */
export type Held =
  | { readonly refusal: Refusal; readonly finish?: undefined }
  | { readonly refusal?: undefined; readonly finish: Finish };

/** Takes something that a request needs before the upstream is asked, and that may have to be given back. Calls `done` once, soon. */
export type Hold = (passage: Passage, body: unknown, done: (held: Held) => void) => void;

/** Is told the answer; what it returns is released instead: the same, of which it knows the end. Called once. */
export type FinishAnswer = (answer: ForwardedAnswer) => ForwardedAnswer;

/** Sends a checked request on. */
export type Send = (passage: Passage, target: string, body: unknown, finish?: FinishAnswer) => void;

/**
 * Puts holds before sending, one after another. Whatever happens then (a refusal, an answer, a check that throws), each that was taken is told
 * once.
 */
export function holdBefore(
  holds: readonly Hold[],
  answers: {
    refuse(passage: Passage, refusal: Refusal): void;
    refuseThrown(passage: Passage, error: unknown): void;
  },
  send: Send,
): Send {
  if (holds.length === 0) return send;
  return (passage, target, body) => {
    let taken: Finish[] = [];
    const finish: Finish = (answer) => {
      const all = taken;
      taken = [];
      for (const one of all) one(answer);
    };
    const finishAnswer: FinishAnswer = (answer) => {
      // What comes in parts is under way until the last one.
      if (answer.kind === "stream")
        return { ...answer, stream: withEnd(answer.stream, () => finish(answer)) };
      finish(answer);
      return answer;
    };
    const step = (index: number): void => {
      try {
        const hold = holds[index];
        if (hold === undefined) return send(passage, target, body, finishAnswer);
        hold(passage, body, (held) => {
          if (held.refusal === undefined) {
            taken.push(held.finish);
            return step(index + 1);
          }
          finish(undefined);
          answers.refuse(passage, held.refusal);
        });
      } catch (error) {
        finish(undefined);
        answers.refuseThrown(passage, error);
      }
    };
    step(0);
  };
}

/** The same stream, whose end is told, whichever it is. */
function withEnd(stream: BodyStream, ended: () => void): BodyStream {
  return {
    start: (sink) =>
      stream.start({
        write: (part) => sink.write(part),
        end() {
          ended();
          sink.end();
        },
        fail() {
          ended();
          sink.fail();
        },
      }),
    resume: () => stream.resume(),
    cancel() {
      ended();
      stream.cancel();
    },
  };
}
