/** A refusal that the route declares, made by {@link fail}. */
export interface Failure<Status extends number = number, Body = unknown> {
  readonly kind: "failure";
  readonly status: Status;
  readonly body: Body;
}

/** An answer with more than its body, made by {@link reply}. */
export interface Reply<Value = unknown> {
  readonly kind: "reply";
  readonly value: Value;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Options of {@link reply}. */
export interface ReplyOptions {
  /** 200 to 204. Default 200. */
  status?: 200 | 201 | 202 | 203 | 204;
  /** Those that the route's `responseHeaders` declare; others are dropped. Default: none. */
  headers?: Readonly<Record<string, string>>;
}

/** Refuses a call with a status that the route's `errors` declare, or with 404 or 422. May be returned and thrown. */
export function fail<Status extends number>(status: Status): Failure<Status, undefined>;
export function fail<Status extends number, Body>(status: Status, body: Body): Failure<Status, Body>;
export function fail(status: number, body?: unknown): Failure {
  return Object.freeze({ [mark]: true, kind: "failure", status, body });
}

/** Answers with a status of its own, or with headers. */
export function reply<Value>(value: Value, { status = 200, headers = {} }: ReplyOptions = {}): Reply<Value> {
  return Object.freeze({ [mark]: true, kind: "reply", value, status, headers });
}

/** Tells answers of ours from values that look like one: no JSON has it. Registered, since a bundle may hold two copies of this. */
const mark = Symbol.for("curtainwall.answer");

/** Tells whether a value was made by {@link fail}. */
export const isFailure = (value: unknown): value is Failure => isMarked(value) && value.kind === "failure";

/** Tells whether a value was made by {@link reply}. */
export const isReply = (value: unknown): value is Reply => isMarked(value) && value.kind === "reply";

const isMarked = (value: unknown): value is { kind: unknown } =>
  typeof value === "object" && value !== null && mark in value;
