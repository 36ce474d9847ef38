export { createEventQueue } from "./node/event-queue.ts";
export type { EventQueue, EventQueueOptions } from "./node/event-queue.ts";
export { findRecord } from "./node/find-record.ts";
export { openLogFile } from "./node/log-file.ts";
export type { LogFile, LogFileOptions } from "./node/log-file.ts";
export { readRecords } from "./node/read-records.ts";
