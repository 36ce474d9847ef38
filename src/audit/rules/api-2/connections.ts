import type { Check } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import type { ProbeResponse, TrickleOptions } from "../../probes/probe.ts";
import { isSuccess, pagePath, see, withoutPages } from "../shared.ts";

const encoder = new TextEncoder();
/** Above the bound: the kernel deals connections to the edge's threads by chance, so that one may be full before another. */
const above = 24;
/** More than this is no question any more. */
const mostTried = 2048;
/** How long they are held: longer where a machine is too slow to open them all in that time. */
const holdsMs = [4000, 16_000];

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
    const request = { method: "GET", path, client: other } as const;
    let counts = { held: 0, refused: 0, late: 0 };
    let response: ProbeResponse | undefined;
    for (const maxMs of holdsMs) {
      const holding = hold(context, bound + above, { protocol: "http/1.1", head, drip, maxMs, client });
      // The other comes while they are open.
      await context.sleep(maxMs / 4);
      response = await context.wire.send(request);
      counts = await holding;
      if (counts.late === 0 || counts.held > bound) break;
    }
    const { held, refused, late } = counts;
    if (response === undefined || held === 0)
      return tally.miss("none of the connections was held, so that nothing says how many may be");
    if (late > 0 && held <= bound)
      return tally.miss(
        `${late} of ${bound + above} connections were not open in time: here or there a machine was too slow to see how many may be`,
      );
    const isServed =
      isSuccess(response.status) || (response.status === 404 && withoutPages(context) !== undefined);
    tally.expect(refused > 0 && held <= bound, {
      kind: "measurement",
      about: `connections of one address held at once, of ${bound + above}; the stack's bound is ${bound}`,
      value: held,
    });
    tally.expect(isServed, see(context, "meanwhile another address is served", { request, response }));
  },
};

/** By so much the end of a wait and the clock may differ. */
const clockMs = 100;

/** Opens so many connections, and counts what became of them. One that was not open in time was neither held nor refused. */
async function hold(
  { wire, now }: AuditContext,
  count: number,
  options: TrickleOptions,
): Promise<{ held: number; refused: number; late: number }> {
  const startedAt = now();
  const ends = await Promise.all(
    Array.from({ length: count }, () =>
      wire.trickle(options).then(
        ({ ended }) => (ended ? "refused" : "held"),
        () => (now() - startedAt < options.maxMs - clockMs ? "refused" : "late"),
      ),
    ),
  );
  const of = (wanted: (typeof ends)[number]): number => ends.filter((end) => end === wanted).length;
  return { held: of("held"), refused: of("refused"), late: of("late") };
}
