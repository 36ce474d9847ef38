export { defineFunction, onSchedule } from "./define-function.ts";
export type {
  FunctionDefinition,
  FunctionDefinitionOptions,
  ScheduledEvent,
  ScheduledHandler,
} from "./define-function.ts";
export type { FunctionCaller } from "./call.ts";
export type { FunctionInput, Handler, RouteOf } from "./handler.ts";
export { fail, reply } from "./reply.ts";
export type { Failure, Reply, ReplyOptions } from "./reply.ts";
