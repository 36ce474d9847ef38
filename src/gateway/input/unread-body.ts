import type { Refusal } from "../answers/refusal.ts";
import type { BodyError } from "../types.ts";

/** Why a body that could not be read is refused. */
export function refuseUnread(error: BodyError): Refusal {
  switch (error) {
    case "aborted":
      // Nobody waits for this answer, but the server waits for the call.
      return { code: "GATEWAY_INPUT_INVALID", reason: "the client went away" };
    case "timeout":
      return { code: "GATEWAY_BODY_TIMEOUT" };
    case "too-large":
      return { code: "GATEWAY_BODY_TOO_LARGE" };
  }
}
