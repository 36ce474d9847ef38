import type { Check } from "../../check.ts";
import { isSuccess, pagePath, see, withoutPages } from "../shared.ts";

const encoder = new TextEncoder();
/** Above the bound: the kernel deals connections to the edge's threads by chance, so that one may be full before another. */
const above = 24;
/** More than this is no question any more. */
const mostTried = 2048;
const holdMs = 4000;

/** One address holds so many connections and no more, and leaves room for others. Each is open, and says nothing that ends. */
export const heldConnections: Check = {
  name: "one address holds so many connections, and no more",
  kind: "live",
  attack: { kind: "limits", promise: "edge", per: "site" },
  // It limits connections. The row is about how often something may be called.
  isSupporting: true,
  isActive: true,
  isSlow: true,
  notApplicable: ({ machine }) =>
    machine?.connectionsPerAddress() === undefined
      ? "a contract bounds no connections; how many a stack takes is known on its machine"
      : undefined,
  run: async (context, tally) => {
    const bound = context.machine?.connectionsPerAddress() ?? 0;
    const [client, other] = [context.caller.freshClient(), context.caller.freshClient()];
    if (client === undefined || other === undefined)
      return tally.miss("from here there is one client alone: name the target by 127.0.0.1");
    if (bound + above > mostTried) return tally.miss(`${bound} connections are more than are opened here`);
    const path = pagePath(context);
    const head = encoder.encode(`GET ${path} HTTP/1.1\r\nhost: ${context.target.host}\r\nx-held: `);
    const drip = encoder.encode("a");
    let refused = 0;
    let held = 0;
    const attempts = Array.from({ length: bound + above }, () =>
      context.wire.trickle({ protocol: "http/1.1", head, drip, maxMs: holdMs, client }).then(
        ({ ended }) => (ended ? refused++ : held++),
        () => refused++,
      ),
    );
    // The other comes while they are open.
    await context.sleep(holdMs / 4);
    const request = { method: "GET", path, client: other } as const;
    const response = await context.wire.send(request);
    await Promise.all(attempts);
    const isServed =
      isSuccess(response.status) || (response.status === 404 && withoutPages(context) !== undefined);
    if (held === 0)
      return tally.miss("none of the connections was held, so that nothing says how many may be");
    tally.expect(refused > 0 && held <= bound, {
      kind: "measurement",
      about: `connections of one address held at once, of ${bound + above}; the stack's bound is ${bound}`,
      value: held,
    });
    tally.expect(isServed, see(context, "meanwhile another address is served", { request, response }));
  },
};
