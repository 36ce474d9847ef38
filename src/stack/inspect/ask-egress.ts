import { request } from "node:http";
import { join } from "node:path";
import type { AskedUse, EgressAsker } from "../../audit/index.ts";
import type { Contract } from "../../contract/index.ts";
import { functionHeader, refusalHeader, routeHeader } from "../../egress/index.ts";
import { functionGroups } from "../functions/function-groups.ts";

/** More than any contract lets a body have. */
const announcedBytes = 2 ** 40;
const timeoutMs = 5000;

/**
 * Asks a running stack's egress as one of its callers for a request whose announced body is too large. Whether it is permitted is judged first,
 * so that the code says it; nothing is read of the body, and nothing sent. One with a body is judged whole, and sent if egress takes it.
 *
 * @param folder where the stack's sockets lie
 * @throws {Error} of the system, if the socket can't be connected to
 */
export async function askEgress(
  contract: Contract,
  folder: string,
  { user, group }: EgressAsker,
  { method, origin, path, body, type = "application/json" }: AskedUse,
): Promise<string> {
  const index = functionGroups(contract).find(({ name }) => name === group)?.index;
  const file = index === undefined ? "egress-edge" : `egress-${index}`;
  const identity: Record<string, string> = user.startsWith("fn:")
    ? { [functionHeader]: user.slice("fn:".length) }
    : { [routeHeader]: encodeURIComponent(user) };
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        socketPath: join(folder, file),
        method,
        path: `${origin}${path}`,
        headers: {
          ...identity,
          host: new URL(origin).host,
          "content-length": body?.length ?? announcedBytes,
          ...(body === undefined || type === null ? {} : { "content-type": type }),
        },
        timeout: timeoutMs,
        agent: false,
      },
      (response) => {
        const code = response.headers[refusalHeader];
        resolve(typeof code === "string" ? code : `status ${response.statusCode}`);
        sent.destroy();
      },
    );
    sent.on("timeout", () => sent.destroy(new Error("egress does not answer")));
    sent.on("error", reject);
    if (body === undefined) sent.flushHeaders();
    else sent.end(body);
  });
}
