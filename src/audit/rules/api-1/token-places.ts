import type { Check } from "../../check.ts";
import type { Call } from "../../requests/caller.ts";
import { unsigned } from "../../forge/forge.ts";
import type { ProbeCredential } from "../../probes/probe.ts";
import { isRefusal, isSuccess, withoutProtectedRoutes } from "../shared.ts";
import { expectServed } from "../unserved.ts";
import { expectRefusal } from "./given-away.ts";
import { genuine, onePerCondition, tokenCalls, withoutIssuer } from "./token-routes.ts";

interface Place {
  name: string;
  /** What stands in the request in the token's stead. */
  put: (token: string) => Partial<Pick<Call, "headers" | "rawQuery" | "rawCookie">>;
}

const header = (name: string, write: (token: string) => string = (token) => token): Place => ({
  name: `in the header ${name}`,
  put: (token) => ({ headers: [[name, write(token)]] }),
});

const authorization = (what: string, write: (token: string) => string): Place => ({
  ...header("authorization", write),
  name: what,
});

/**
 * Where a good token must not count: in an address, which logs and histories keep; in a cookie, which a browser sends along for any page; in headers that no
 * one declared.
 *
 * @see RFC 6750 §2.3 and §5.3, RFC 9110 §11.6.2, RFC 9449 §7.1
 */
const places: readonly Place[] = [
  { name: "in the query (access_token)", put: (token) => ({ rawQuery: `access_token=${token}` }) },
  { name: "in the query (token)", put: (token) => ({ rawQuery: `token=${token}` }) },
  { name: "in a cookie (access_token)", put: (token) => ({ rawCookie: `access_token=${token}` }) },
  { name: "in a cookie (Authorization)", put: (token) => ({ rawCookie: `Authorization=Bearer ${token}` }) },
  header("x-access-token"),
  header("x-auth-token"),
  header("x-forwarded-access-token"),
  header("proxy-authorization", (token) => `Bearer ${token}`),
  authorization("without a scheme", (token) => token),
  authorization("by the scheme Token", (token) => `Token ${token}`),
  authorization("by the scheme JWT", (token) => `JWT ${token}`),
  authorization("by the scheme DPoP, without a proof", (token) => `DPoP ${token}`),
  authorization("as the name of Basic", (token) => `Basic ${btoa(`${token}:`)}`),
  authorization("as the password of Basic", (token) => `Basic ${btoa(`x:${token}`)}`),
  authorization("without a blank after Bearer", (token) => `Bearer${token}`),
  authorization("with a colon after Bearer", (token) => `Bearer: ${token}`),
  authorization("in quotes", (token) => `Bearer "${token}"`),
  authorization("twice in one header", (token) => `Bearer ${token}, Bearer ${token}`),
];

/** A good token in a bad place, and a bad one beside a good one. */
export const tokenPlaces: Check = {
  name: "token in another place than its own, or beside another",
  kind: "live",
  isActive: true,
  attack: { kind: "access", promise: "access", per: "route" },
  notApplicable: (context) => withoutProtectedRoutes(context) ?? withoutIssuer(context),
  run: async (context, tally) => {
    for (const { route, honest, user } of onePerCondition(tokenCalls(context, tally))) {
      const { input } = honest;
      const value = await context.tokens.valid(user);
      const control = await context.caller.call({ route, input, as: user });
      const about = `the token of ${user} in its place is accepted`;
      if (!expectServed(context, tally, { route, about, exchange: control })) continue;
      const plain = await context.caller.request({ route, input });
      const hidden: ProbeCredential[] = [{ header: "", scheme: "", value, name: `token of ${user}` }];
      const send = async (put: Partial<Call>): ReturnType<typeof context.caller.send> => {
        const request = await context.caller.request({ route, input, ...joined(plain.path, put) });
        return context.caller.send(
          { ...request, credentials: hidden },
          { name: `${route.key} with misplaced tokens`, burst: 3, isPerUser: false },
        );
      };
      const told = { canary: input.canary, control, route };
      for (const { name, put } of places)
        expectRefusal(context, tally, {
          about: `${route.key}: a good token ${name} opens nothing`,
          exchange: await send(put(value)),
          told,
          refuses: (status) => !isSuccess(status),
        });
      const [forged] = unsigned(await genuine(context, user));
      const two = await send({
        headers: [
          ["authorization", `Bearer ${forged?.value}`],
          ["authorization", `Bearer ${value}`],
        ],
      });
      expectRefusal(context, tally, {
        about: `${route.key}: a forged token before a good one is refused (401)`,
        exchange: two,
        told,
        refuses: (status) => isRefusal(status) || status === 400,
      });
    }
  },
};

/** What a place adds to the query stands after what the route asks for. */
function joined(path: string, put: Partial<Call>): Partial<Call> {
  const query = path.split("?")[1];
  if (put.rawQuery === undefined || query === undefined) return put;
  return { ...put, rawQuery: `${query}&${put.rawQuery}` };
}
