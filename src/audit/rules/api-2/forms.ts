import type { ContractRoute } from "../../../contract/index.ts";
import type { ProbeRequest, ProbeResponse } from "../../probes/probe.ts";

/** Requests of one kind in all forms that they may have: what asks for less than a GET, or for what is known already, is charged like a GET. */
export interface RequestForms {
  /** The form of one of many. */
  at(request: ProbeRequest, count: number): ProbeRequest;
  /** Whether an answer says that there is no such form here; then it is used no more, and was no request of the kind. */
  isUnknown(request: ProbeRequest, response: ProbeResponse): boolean;
}

type Form = (request: ProbeRequest) => ProbeRequest;

const withHeader =
  (name: string, value: string): Form =>
  (request) => ({ ...request, headers: [...(request.headers ?? []), [name, value]] });

const plain: Form = (request) => request;
const asHead: Form = (request) => ({ ...request, method: "HEAD" });
const always: readonly Form[] = [plain, withHeader("if-none-match", "*")];
const ofReads: readonly Form[] = [...always, asHead, withHeader("range", "bytes=0-0")];

/** Each form for two requests in a row, so that each goes over each protocol where they take turns. */
const inARow = 2;

/** The forms that requests of a route may have. */
export function formsOf({ method, stream }: ContractRoute): RequestForms {
  let forms = method === "GET" && stream === undefined ? ofReads : always;
  return {
    at: (request, count) => (forms[Math.floor(count / inARow) % forms.length] as Form)(request),
    isUnknown(request, { status }) {
      if (request.method !== "HEAD" || (status !== 405 && status !== 501)) return false;
      forms = forms.filter((form) => form !== asHead);
      return true;
    },
  };
}
