import assert from "node:assert/strict";
import { test } from "node:test";
import type { Passage } from "../answers/route-answers.ts";
import type { BodySink, BodyStream, ForwardedAnswer } from "../types.ts";
import { holdBefore } from "./hold.ts";
import type { FinishAnswer, Hold } from "./hold.ts";

const passage = {} as Passage;

/** Holds of the kinds that are named, and what each was told. */
function open(...kinds: ("grants" | "refuses" | "throws")[]) {
  const told: string[] = [];
  const holds = kinds.map((kind, index): Hold => (_passage, _body, done) => {
    if (kind === "throws") throw new TypeError("broken");
    if (kind === "refuses") return done({ refusal: { code: "GATEWAY_BUSY" } });
    done({ finish: (answer) => void told.push(`${index} ${answer?.kind ?? "not asked"}`) });
  });
  let finish: FinishAnswer | undefined;
  const send = holdBefore(
    holds,
    {
      refuse: (_, { code }) => void told.push(code),
      refuseThrown: () => void told.push("thrown"),
    },
    (_passage, _target, _body, given) => (finish = given),
  );
  send(passage, "/", undefined);
  return { told, answer: (answer: ForwardedAnswer) => finish?.(answer) };
}

test("without holds sending is what it was", () => {
  const send = (): void => undefined;
  assert.equal(holdBefore([], { refuse: send, refuseThrown: send }, send), send);
});

test("each that was taken is told the answer once", () => {
  const { told, answer } = open("grants", "grants");
  const given = { kind: "answer", status: 200, value: 1 } as const;
  assert.equal(answer(given), given);
  answer(given);
  assert.deepEqual(told, ["0 answer", "1 answer"]);
});

test("after a refusal, or one that throws, those before it are told that nothing was asked", () => {
  assert.deepEqual(open("grants", "refuses", "grants").told, ["0 not asked", "GATEWAY_BUSY"]);
  assert.deepEqual(open("grants", "grants", "throws").told, ["0 not asked", "1 not asked", "thrown"]);
});

for (const end of ["end", "fail", "cancel"] as const)
  test(`an answer that comes in parts is over when its last part came: ${end}`, () => {
    const { told, answer } = open("grants");
    const seen: string[] = [];
    let inner: BodySink | undefined;
    const stream: BodyStream = {
      start: (sink) => (inner = sink),
      resume: () => void seen.push("resume"),
      cancel: () => void seen.push("cancel"),
    };
    const headers: never = new Map() as never;
    const given = answer({ kind: "stream", type: "text/plain", length: undefined, headers, stream });
    assert.ok(given?.kind === "stream");
    given.stream.start({
      write: () => seen.push("write") > 0,
      end: () => void seen.push("end"),
      fail: () => void seen.push("fail"),
    });
    inner?.write(new Uint8Array(1));
    given.stream.resume();
    assert.deepEqual(told, []);
    if (end === "cancel") given.stream.cancel();
    else inner?.[end]();
    assert.deepEqual(told, ["0 stream"]);
    assert.deepEqual(seen, ["write", "resume", end]);
  });
