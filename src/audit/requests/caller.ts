import { CurtainwallError } from "../../shared/index.ts";
import type { ContractRoute } from "../../contract/index.ts";
import { noTimeToWait } from "../out-of-time.ts";
import { buildRequest } from "./build-request.ts";
import type { CallContract } from "./build-request.ts";
import { retryAfterMs } from "./patient-wire.ts";
import { createTurns } from "./protocols.ts";
import { signRequest } from "./sign-request.ts";
import { signaturesUnchecked } from "./signatures-unchecked.ts";
import type { AuditInput, AuditPlan } from "../plan/plan.ts";
import type {
  Exchange,
  Listening,
  ProbeCredential,
  ProbeRequest,
  ProbeResponse,
  Protocol,
  Wire,
} from "../probes/probe.ts";
import type { Tokens } from "./tokens.ts";

/** A call of a declared route, whole or bent in one place. */
export interface Call {
  route: ContractRoute;
  input: AuditInput;
  /** Identity whose valid token or API key goes along. */
  as?: string | undefined;
  /** Another token instead, with its name for the report. */
  token?: { name: string; value: string };
  /** An API key, instead or besides, with its name for the report. */
  apiKey?: { name: string; value: string };
  method?: string;
  /** Overrides what the route answers with. */
  accept?: string;
  /** Path parameters as they are to stand in the path, already encoded. Overrides `input.params`. */
  rawParams?: Readonly<Record<string, string>>;
  /** Query as it is to stand after the `?`. Overrides `input.query`. */
  rawQuery?: string;
  /** Body as it is to be sent. Overrides `input.body`. */
  rawBody?: Uint8Array | string;
  /** Overrides the route's; null sends none. */
  contentType?: string | null;
  /** Overrides `input.headers`. */
  rawHeaders?: readonly (readonly [string, string])[];
  /** The `Cookie` header as it is to be sent. Overrides `input.cookies`. */
  rawCookie?: string;
  /** Does without what a browser says of a page of the site, where a route creates a session. */
  isFromNoPage?: boolean;
  /** How much of an answer in parts is waited for. */
  listen?: Listening;
  headers?: readonly (readonly [string, string])[];
  /** Default: those that the target speaks, in turn. */
  protocol?: Protocol;
  /** The headers that sign the body, instead of those that the route's sender would send. Empty: none. */
  signature?: Readonly<Record<string, string>>;
}

/** Makes requests within the target's limits. A 429 is no verdict on anything but limits, so it is waited out; that there is too much to do is none either. */
export interface Caller {
  call(call: Call): Promise<Exchange>;
  /** A request to anything; `allowance` is how many of its kind one client may make. */
  send(request: ProbeRequest, allowance?: Allowance): Promise<Exchange>;
  /** A client that has made no request yet; undefined when the target sees all of ours as one. */
  freshClient(): string | undefined;
  /** How many calls of a route were made in a user's name; undefined: in nobody's. */
  timesAsked(route: ContractRoute, as: string | undefined): number;
  /** A call as a request, without making it. */
  request(call: Call): Promise<ProbeRequest>;
}

/** Requests counted together, and how many may come at once. */
export interface Allowance {
  name: string;
  burst: number;
  /** Counted by user, so that another source address does not help. */
  isPerUser: boolean;
}

/** Options of {@link createCaller}. */
export interface CallerOptions {
  contract: CallContract;
  wire: Wire;
  /** What the target speaks. Calls take turns over them. Default: HTTP/1.1 alone. */
  protocols?: readonly [Protocol, ...Protocol[]];
  tokens: Tokens;
  /** How the senders of webhooks sign. */
  signatures?: AuditPlan["signatures"];
  /** The time that they sign with, in milliseconds since 1970. Default: `Date.now`. */
  now?: () => number;
  /** Told whose limit is waited for, where that is why. */
  sleep: (milliseconds: number, limitOf?: string) => Promise<void>;
  /** Milliseconds left for the whole audit. */
  remainingMs: () => number;
}

const maxTries = 8;
const maxTriesWhenBusy = 3;

/**
 * Makes a {@link Caller}. On loopback it spends each client's allowance and then goes on from the next loopback address, which
 * the target sees as another client; elsewhere, and where a limit counts users, it waits as `Retry-After` says.
 */
export function createCaller({
  contract,
  wire,
  protocols = ["http/1.1"],
  tokens,
  signatures,
  now = Date.now,
  sleep,
  remainingMs,
}: CallerOptions): Caller {
  const freshClient = wire.canChangeClient ? loopbackClients() : () => undefined;
  const turn = createTurns(protocols);
  const current = new Map<string, { client: string | undefined; left: number }>();

  const clientFor = (allowance: Allowance): string | undefined => {
    let entry = current.get(allowance.name);
    if (entry === undefined || entry.left <= 0) {
      entry = { client: freshClient(), left: Math.max(1, allowance.burst) };
      current.set(allowance.name, entry);
    }
    entry.left--;
    return entry.client;
  };

  const send = async (request: ProbeRequest, allowance: Allowance = unlimited): Promise<Exchange> => {
    const protocol = request.protocol ?? turn(request, allowance.name);
    for (let tries = 1; ; tries++) {
      const client = request.client ?? clientFor(allowance);
      const sent = { ...request, protocol, ...(client === undefined ? {} : { client }) };
      const response = await wire.send(sent);
      const waitMs = retryAfterMs(response);
      // A machine that has too much to do, maybe by the audit itself. What says so for ever is no refusal of ours: the checks say what it is.
      if (isBusy(response) && tries < maxTriesWhenBusy && waitMs + 2000 <= remainingMs()) {
        await sleep(waitMs);
        continue;
      }
      if (response.status !== 429) return { request: sent, response };
      current.delete(allowance.name);
      const otherClientHelps =
        wire.canChangeClient && request.client === undefined && !allowance.isPerUser && tries <= 2;
      if (otherClientHelps) continue;
      const isHopeless = tries >= maxTries || waitMs > 60_000;
      if (isHopeless || waitMs + 2000 > remainingMs()) {
        throw new CurtainwallError(
          "AUDIT_BUDGET_SPENT",
          `the limit of ${allowance.name} left no allowance (429, Retry-After ${waitMs / 1000} s)${isHopeless ? "" : `; ${noTimeToWait}`}`,
        );
      }
      await sleep(waitMs, allowance.name);
    }
  };

  const request = async (call: Call): Promise<ProbeRequest> =>
    signRequest(
      buildRequest(call, await credentialsOf(call, tokens, contract), contract),
      call.signature ?? signatures?.[call.route.key],
      new Date(now()),
    );

  const unavailable = new Set<string>();

  /**
   * What checks signatures takes nothing that was signed before it began to remember: a sender comes again, signed anew. That may be a second, or
   * as long as it would have remembered; then no answer says anything, and who comes next does not wait again.
   */
  async function callSigned(call: Call): Promise<Exchange> {
    for (let tries = 1; ; tries++) {
      const exchange = await send(await request(call), allowanceOf(call));
      const unchecked = signaturesUnchecked(call.route, exchange);
      const { key } = call.route;
      if (unchecked === undefined) {
        unavailable.delete(key);
        return exchange;
      }
      if (tries === 3 || unavailable.has(key)) {
        unavailable.add(key);
        throw unchecked;
      }
      await sleep(1100);
    }
  }

  const asked = new Map<string, number>();
  const timesAsked: Caller["timesAsked"] = ({ key }, as) => asked.get(`${key} ${as}`) ?? 0;

  return {
    freshClient,
    timesAsked,
    send,
    request,
    async call(call) {
      const { route, as, signature } = call;
      asked.set(`${route.key} ${as}`, timesAsked(route, as) + 1);
      if (signature === undefined && signatures?.[route.key] !== undefined) return callSigned(call);
      return send(await request(call), allowanceOf(call));
    },
  };
}

const unlimited: Allowance = { name: "undeclared paths", burst: 50, isPerUser: false };

function allowanceOf({ route, as }: Call): Allowance {
  const perClient = route.limits.filter((limit) => limit.by === "client");
  return {
    name: route.key,
    burst: Math.min(200, ...perClient.map((limit) => limit.burst)),
    isPerUser: route.limits.some(({ by }) => by === "route" || (by !== "client" && as !== undefined)),
  };
}

const isBusy = (response: ProbeResponse): boolean =>
  response.status === 503 && /"code":"GATEWAY_(?:OVERLOADED|BUSY)"/.test(response.text());

/** How many addresses there are from 127.a.b.1 on: the last one of a network is nobody's. */
const inANetwork = 254;

/** 127.a.b.1, 127.a.b.2 … with a and b drawn once, so that two audits in a row are not the same clients. */
function loopbackClients(): () => string {
  const [a = 1, b = 1] = crypto.getRandomValues(new Uint8Array(2));
  let count = 0;
  return () => {
    const network = (b + Math.floor(count / inANetwork)) % 256;
    return `127.${(a % 250) + 2}.${network}.${(count++ % inANetwork) + 1}`;
  };
}

/** What says who calls: a token, a key, or, to see what becomes of it, both. */
async function credentialsOf(
  { as, token, apiKey }: Call,
  tokens: Tokens,
  contract: CallContract,
): Promise<ProbeCredential[]> {
  const made: ProbeCredential[] = [];
  if (token !== undefined) made.push({ ...bearer, ...token });
  if (apiKey !== undefined) made.push({ ...keyPlace(contract), ...apiKey });
  if (made.length > 0 || as === undefined) return made;
  const isProgram = tokens.isProgram(as);
  const value = isProgram ? await tokens.apiKey(as) : await tokens.valid(as);
  const place = isProgram ? keyPlace(contract) : bearer;
  return [{ ...place, name: `${isProgram ? "API key" : "token"} of ${as}`, value, of: as }];
}

const bearer = { header: "authorization", scheme: "Bearer " } as const;

const keyPlace = ({ apiKeys }: CallContract): Pick<ProbeCredential, "header" | "scheme"> =>
  apiKeys?.header === "x-api-key"
    ? { header: "x-api-key", scheme: "" }
    : { header: "authorization", scheme: "ApiKey " };
