import { sha256, toBase64Url } from "../../../shared/index.ts";
import type { ContractRoute, ContractUpstream } from "../../../contract/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import type { HonestCall } from "../../requests/inputs.ts";
import { receivedBytes } from "../../probes/upstream-witness.ts";
import type { ReceivedRequest } from "../../probes/upstream-witness.ts";
import { callAndFollow, keptAnswer, overWitnessed, withoutWitness } from "../arrivals.ts";
import type { Arrival, WitnessedUpstream } from "../arrivals.ts";
import { claimsOf } from "./assertion-claims.ts";
import { sendAgain } from "./assertions-again.ts";
import { honestCall, isSuccess } from "../shared.ts";
import { unservedBy } from "../unserved.ts";

/** The gateway says half a minute. An upstream whose clock is off takes it for a little longer. */
const maxLifetimeSeconds = 60;

/** What an upstream is told of a caller, and for how long that is worth something. */
export const assertionsHold: Check = {
  name: "what an upstream is told is true, of one request, and soon over",
  kind: "live",
  attack: { kind: "access", promise: "upstreams", per: "route" },
  isActive: true,
  isSupporting: true,
  notApplicable: withoutWitness,
  run: (context, tally) =>
    overWitnessed(context, tally, async (route, witness) => {
      const honest = honestCall(context, route, tally);
      if (honest === undefined) return;
      const arrival = await follow(context, tally, { route, witness, honest });
      if (arrival === undefined) return;
      const fault = await faultOf(context, route, witness.upstream, honest, arrival);
      tally.expect(fault === undefined, {
        kind: "measurement",
        about: `${route.key}: what ${route.to} is told${honest.as === undefined ? "" : ` of ${honest.as}`}`,
        value: fault ?? "holds, for this request alone, and ends soon",
      });
    }),
};

interface Followed {
  readonly route: ContractRoute;
  readonly witness: WitnessedUpstream;
  readonly honest: HonestCall;
}

/** An honest request, as it came to its upstream; without one, the tally says why. */
async function follow(
  context: AuditContext,
  tally: Tally,
  { route, witness, honest }: Followed,
): Promise<Arrival | undefined> {
  const { exchange, arrived } = await callAndFollow(context, route, witness, honest);
  if (isSuccess(exchange.response.status) && arrived !== undefined) return { exchange, received: arrived };
  if (route.cache !== undefined && isSuccess(exchange.response.status))
    tally.notApplicable(keptAnswer(route));
  else
    tally.miss(
      arrived === undefined
        ? `${route.key}: the honest request was not seen at ${route.to}`
        : unservedBy(context, route, exchange),
    );
  return undefined;
}

async function faultOf(
  context: AuditContext,
  route: ContractRoute,
  { url }: ContractUpstream,
  { as }: HonestCall,
  { exchange, received }: Arrival,
): Promise<string | undefined> {
  const claims = claimsOf(received);
  if (claims === undefined) return "it came without the gateway's word";
  const { iss, aud, sub, htm, htp, iat, exp, body } = claims;
  if (typeof iat !== "number" || typeof exp !== "number")
    return "the gateway's word does not say when it ends";
  const left = exp - Math.min(iat, Math.floor(context.now() / 1000));
  if (left > maxLifetimeSeconds) return `the gateway's word is good for ${left} seconds`;
  if (iss !== context.contract.origin) return "the gateway's word does not say whose it is";
  if (aud !== url.href) return "the gateway's word is not for this upstream";
  if (htm !== route.method || htp !== received.target) return "the gateway's word is not for this request";
  if (body !== (await digestOf(received))) return "the gateway's word is not for this body";
  const subject = as === undefined ? undefined : context.plan.identities?.[as]?.subject;
  if (sub !== subject) return `it is told of somebody else than ${subject ?? "nobody"}`;
  const told = JSON.stringify(received.headers);
  const passedOn = exchange.request.credentials?.find(({ value }) => told.includes(value));
  return passedOn === undefined ? undefined : `it was sent the ${passedOn.name} itself`;
}

async function digestOf(received: ReceivedRequest): Promise<string | undefined> {
  const bytes = receivedBytes(received);
  return bytes.length === 0 ? undefined : toBase64Url(await sha256(bytes));
}

/** On a machine that has too much to do, or while another check is alone, half a minute may go by. */
const mostTries = 3;

/** Who stands between gateway and upstream, or reads a log, has what the gateway said once. */
export const assertionsOpenNothingElse: Check = {
  name: "the gateway's word for one request is refused with any other",
  kind: "live",
  attack: { kind: "access", promise: "upstreams", per: "route" },
  isActive: true,
  isSupporting: true,
  notApplicable: withoutWitness,
  run: (context, tally) =>
    overWitnessed(context, tally, async (route, witness) => {
      if (route.stream !== undefined)
        return tally.notApplicable(`${route.key}: a stream is not asked for again`);
      for (let tries = 1; tries <= mostTries; tries++) {
        const honest = honestCall(context, route, tally);
        if (honest === undefined) return;
        const arrival = await follow(context, tally, { route, witness, honest });
        if (arrival === undefined || (await sendAgain(context, tally, { route, witness, arrival }))) return;
      }
      tally.miss(
        `${route.key}: what the gateway said ended each time before it could be sent with another request`,
      );
    }),
};
