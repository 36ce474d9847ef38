export {
  callPath,
  callVersion,
  failureHeader,
  isAnswerStatus,
  parseCall,
  parseScheduledCall,
  pingPath,
  scheduledPath,
} from "./call.ts";
export type { CallFields, FunctionCall, FunctionCaller, FunctionSettings, ScheduledCall } from "./call.ts";
export { defineFunction, onSchedule } from "./define-function.ts";
export type {
  FunctionDefinition,
  FunctionDefinitionOptions,
  ScheduledEvent,
  ScheduledHandler,
} from "./define-function.ts";
export type { FunctionsErrorCode } from "./errors.ts";
export type { FunctionInput, Handler, RouteOf } from "./handler.ts";
export { fail, reply } from "./reply.ts";
export type { Failure, Reply, ReplyOptions } from "./reply.ts";
