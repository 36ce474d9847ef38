import type { Form, None, Schema, Travelling, TypedApi } from "../contract/index.ts";
import type { z } from "zod";
import type { FunctionCaller, FunctionSettings } from "./call.ts";
import type { Failure, Reply } from "./reply.ts";

/** The keys of a contract's routes. */
export type RouteOf<Stack> =
  Stack extends TypedApi<infer Responses, infer _Q, infer _B, infer _P, infer _H, infer _E>
    ? keyof Responses & string
    : never;

/** Answers calls of one route, or of several: then {@link FunctionInput.route} tells them apart. */
export type Handler<Stack, Route extends string> = (
  call: Route extends string ? InputOf<Stack, Route> : never,
) => Result<Stack, Route> | Promise<Result<Stack, Route>>;

/** What a function is given. */
export interface FunctionInput<Route, Params, Query, Headers, Body> {
  readonly route: Route;
  /** The request's, as it stands in the log. */
  readonly id: string;
  readonly params: Params;
  readonly query: Query;
  readonly headers: Headers;
  readonly body: Body;
  /** What the contract says that it works with: `settings`. */
  readonly settings: FunctionSettings;
  /** Undefined: nobody said who calls, and the route asks nobody. */
  readonly caller: FunctionCaller | undefined;
  /** Fires when nobody waits any more. */
  readonly signal: AbortSignal;
}

type InputOf<Stack, Route extends string> =
  Stack extends TypedApi<infer _R, infer Queries, infer Bodies, infer Params, infer Headers, infer _E>
    ? FunctionInput<
        Route,
        FieldsOf<At<Params, Route>>,
        FieldsOf<At<Queries, Route>>,
        FieldsOf<At<Headers, Route>>,
        BodyOf<At<Bodies, Route>>
      >
    : never;

/** What it may return. */
type Result<Stack, Route extends string> =
  Stack extends TypedApi<infer Responses, infer _Q, infer _B, infer _P, infer _H, infer Errors>
    ? Route extends string
      ? Value<At<Responses, Route>> | Reply<Value<At<Responses, Route>>> | Failures<At<Errors, Route>>
      : never
    : never;

type At<All, Key> = Key extends keyof All ? All[Key] : undefined;

/** What schemas by name make of what came in. */
type FieldsOf<Fields> =
  Fields extends Readonly<Record<string, Schema>>
    ? Travelling<z.output<z.ZodObject<{ -readonly [Name in keyof Fields]: Fields[Name] }>>>
    : {};

type BodyOf<Body> = Body extends Form
  ? FieldsOf<Body["fields"]>
  : Body extends Schema
    ? Travelling<z.output<Body>>
    : undefined;

type Value<Response> = Response extends None
  ? undefined | void
  : Response extends Schema
    ? Travelling<z.input<Response>>
    : never;

/** Those that the route declares; without a declaration a route may still be refused with 404 or 422 and no more to say. */
type Failures<Errors> =
  | Failure<404 | 422, undefined>
  | (Errors extends Readonly<Record<number, Schema>>
      ? { [Status in keyof Errors & number]: Failure<Status, z.input<Errors[Status]>> }[keyof Errors & number]
      : never);
