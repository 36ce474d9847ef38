import type { AuditContext } from "../../context.ts";
import type { Exchange, ProbeRequest, Protocol } from "../../probes/probe.ts";

/** A kind of answer, and how to get it. */
export interface AnswerClass {
  name: string;
  isActive: boolean;
  /** Statuses that count as that answer. */
  statuses: readonly number[];
  /** Why nothing here could answer like that. */
  notApplicable?(context: AuditContext): string | undefined;
  /** What is not asked for, though it is such an answer, if so. */
  leftOut?(context: AuditContext): string | undefined;
  /** The answer, or one of each sort that there is, or what is missing to get it. */
  get(context: AuditContext, protocol: Protocol): Promise<Exchange | readonly Exchange[] | string>;
}

/** Asks for a path. */
export const get =
  (path: (context: AuditContext) => string, extra: Partial<ProbeRequest> = {}) =>
  (context: AuditContext, protocol: Protocol): Promise<Exchange> =>
    context.caller.send({ method: "GET", path: path(context), protocol, ...extra });
