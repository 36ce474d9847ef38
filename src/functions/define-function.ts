import type { FunctionCaller, FunctionSettings } from "./call.ts";
import type { Handler, RouteOf } from "./handler.ts";

/** What a file in `functions/` exports by default, made by {@link defineFunction} or {@link onSchedule}. */
export interface FunctionDefinition {
  readonly kind: "function";
  /** Undefined: no route calls it. */
  readonly call: AnyHandler | undefined;
  /** Undefined: the clock never calls it. */
  readonly scheduled: ScheduledHandler | undefined;
}

/** A handler whose types were checked where it was written. */
export type AnyHandler = (call: AnyCall) => unknown;

/** A call of whatever route. */
export interface AnyCall {
  readonly route: string;
  readonly id: string;
  readonly params: unknown;
  readonly query: unknown;
  readonly headers: unknown;
  readonly body: unknown;
  readonly settings: FunctionSettings;
  readonly caller: FunctionCaller | undefined;
  readonly signal: AbortSignal;
}

/** What the clock's call brings. */
export interface ScheduledEvent {
  /** As it stands in the log. */
  readonly id: string;
  readonly due: Date;
  /** What the contract says that it works with. Under Cloudflare's own clock: nothing. */
  readonly settings: FunctionSettings;
  /** Fires when nobody waits any more. */
  readonly signal: AbortSignal;
}

/** What the clock calls. */
export type ScheduledHandler = (event: ScheduledEvent) => void | Promise<void>;

/** Options of {@link defineFunction}. */
export interface FunctionDefinitionOptions {
  /** What the clock calls, as often as `every` in the contract says. Default: nothing. */
  scheduled?: ScheduledHandler;
}

/**
 * Answers the routes that go to this function, typed by the contract: `typeof contract` is a type, so nothing of the contract gets into the
 * function's bundle. What comes in has been checked; what it returns is held to the route's `response`.
 *
 * What it throws is told nobody but the log: the visitor gets 502 and an id.
 *
 * @example
 * ```ts
 * import { defineStack, everyone, fn } from "curtainwall";
 * import { defineFunction, fail } from "curtainwall/functions";
 * import { z } from "zod";
 *
 * const contract = defineStack({
 *   origin: "https://www.bakery.example",
 *   functions: { contact: { reaches: "POST https://mail.example/v1/send" } },
 *   routes: {
 *     "POST /api/contact": {
 *       access: everyone,
 *       limit: "5/min per client",
 *       body: z.object({ text: z.string().max(2000) }),
 *       response: z.object({ sent: z.boolean() }),
 *       errors: { 422: z.object({ reason: z.string() }) },
 *       to: fn("contact"),
 *     },
 *   },
 * });
 *
 * export default defineFunction<typeof contract, "POST /api/contact">(async ({ body, signal }) => {
 *   if (body.text.includes("http")) return fail(422, { reason: "no addresses, please" });
 *   const sent = await fetch("https://mail.example/v1/send", { method: "POST", body: body.text, signal });
 *   return { sent: sent.ok };
 * });
 * ```
 */
export function defineFunction<Stack, Route extends RouteOf<Stack>>(
  handler: Handler<Stack, Route>,
  { scheduled }: FunctionDefinitionOptions = {},
): FunctionDefinition {
  return Object.freeze({ kind: "function", call: handler as unknown as AnyHandler, scheduled });
}

/** A function that only the clock calls: as often as `every` in the contract says, and never twice at once. */
export function onSchedule(scheduled: ScheduledHandler): FunctionDefinition {
  return Object.freeze({ kind: "function", call: undefined, scheduled });
}
