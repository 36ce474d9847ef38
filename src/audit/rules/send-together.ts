import type { ProbeRequest } from "../probes/probe.ts";
import type { AuditContext } from "../context.ts";
import { pagePath } from "./shared.ts";

/** So many connections of HTTP/1.1 at most: servers bound how many one address may hold. */
const maxConnections = 24;

/**
 * Sends a request so many times that come together: half of them in one piece over a connection of HTTP/2, the others over one each, which threads share out.
 * All are opened before, with a page that anybody may ask for: on a busy machine the first request would else be answered while the others still shake hands,
 * and an attack that needs them to overlap would show nothing.
 *
 * @param each makes one of them from the request. Default: they are all alike.
 */
export async function sendTogether<Answer>(
  context: Pick<AuditContext, "release" | "protocols">,
  send: (request: ProbeRequest) => Promise<Answer>,
  request: ProbeRequest,
  count: number,
  each: (request: ProbeRequest, index: number) => ProbeRequest = (one) => one,
): Promise<Answer[]> {
  const { protocols } = context;
  const own = protocols.includes("h2") ? Math.min(maxConnections, Math.floor(count / 2)) : count;
  const requests = Array.from({ length: count }, (_, index): ProbeRequest => ({
    ...each(request, index),
    protocol: index < own ? "http/1.1" : "h2",
  }));
  const { client } = request;
  const page = {
    method: "GET",
    path: encodeURI(pagePath(context)),
    ...(client === undefined ? {} : { client }),
  };
  const openers = requests.slice(0, own < count ? own + 1 : Math.min(own, maxConnections));
  await Promise.all(openers.map(({ protocol = "http/1.1" }) => send(Object.assign({ protocol }, page))));
  return Promise.all(requests.map(send));
}
