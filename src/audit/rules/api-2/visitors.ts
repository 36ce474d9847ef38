import { paramNames } from "../../../contract/index.ts";
import type { ContractRoute } from "../../../contract/index.ts";
import type { Call } from "../../requests/caller.ts";
import { writeCookies } from "../../requests/input-values.ts";
import { otherText } from "../../requests/other-text.ts";
import type { ProbeRequest, ProbeResponse } from "../../probes/probe.ts";

/** One client that looks like many: whatever costs it nothing is another each time. */
export interface Visitors {
  /** A call as the client's next visitor makes it. */
  as(call: Call, count: number): Call;
  /** Whether what it sent of itself was refused before anybody counted; then that is sent no more, and was no request of the kind. */
  isUnknown(request: ProbeRequest, response: ProbeResponse): boolean;
}

/** The visitors that a route may have. */
export function visitorsOf(route: ContractRoute): Visitors {
  // Where a token is asked for, one that is none is refused as none is.
  let bringsToken = route.access.kind === "everyone" && route.webhook === undefined;
  return {
    as(call, count) {
      const name = `audit-${count}`;
      const { input, rawQuery } = call;
      const cookie = writeCookies({ ...input.cookies, audit: name });
      return {
        ...call,
        rawCookie: cookie,
        headers: [
          ...(call.headers ?? []),
          ["user-agent", `Mozilla/5.0 (${name})`],
          ["accept-language", `en;q=0.9, x-${name}`],
          ...(bringsToken ? ([["authorization", `Bearer ${name}`]] as const) : []),
        ],
        ...elsewhere(route, call, count, rawQuery ?? ""),
      };
    },
    isUnknown({ headers = [] }, { status }) {
      if (status !== 401 || !bringsToken || !headers.some(([name]) => name === "authorization")) return false;
      bringsToken = false;
      return true;
    },
  };
}

/** Another address of the route. Where failures are counted, none that fails: they would end before the limit does. */
function elsewhere(
  route: ContractRoute,
  { input }: Call,
  count: number,
  query: string,
): Pick<Call, "rawParams" | "rawQuery"> {
  if (route.failures !== undefined) return {};
  const names = paramNames(route.segments);
  return {
    rawQuery: `${query}${query === "" ? "" : "&"}audit=${count}`,
    rawParams: Object.fromEntries(
      names.map((name) => [name, encodeURIComponent(otherText(input.params?.[name] ?? "", count))]),
    ),
  };
}
