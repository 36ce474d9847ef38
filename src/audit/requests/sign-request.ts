import { lowerCased } from "./input-values.ts";
import type { AuditSigner } from "../plan/plan.ts";
import type { ProbeRequest } from "../probes/probe.ts";

/** A request's body as it is on the wire. */
export const bodyBytes = ({ body = "" }: Pick<ProbeRequest, "body">): Uint8Array =>
  typeof body === "string" ? new TextEncoder().encode(body) : body;

/** Puts the headers beside a body that sign it: those that are given, or those that its sender makes. */
export async function signRequest(
  request: ProbeRequest,
  signer: AuditSigner | Readonly<Record<string, string>> | undefined,
  at: Date,
): Promise<ProbeRequest> {
  if (signer === undefined) return request;
  const signature = lowerCased(typeof signer === "function" ? await signer(bodyBytes(request), at) : signer);
  const signedBy = Object.keys(signature);
  if (signedBy.length === 0) return request;
  // A route may declare them as its input besides: what was signed is what counts, and stands once.
  const others = (request.headers ?? []).filter(([name]) => !signedBy.includes(name.toLowerCase()));
  return { ...request, headers: [...others, ...Object.entries(signature)], signedBy };
}
