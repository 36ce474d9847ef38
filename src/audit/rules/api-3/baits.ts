import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import type { Evidence } from "../../evidence.ts";
import { isUnnamed } from "../../probes/listener.ts";
import type { Hit, Listener } from "../../probes/listener.ts";
import type { Exchange } from "../../probes/probe.ts";
import { honestCall, see, withoutRoutes } from "../shared.ts";

/** A request that could have sent the stack to us. */
export interface Bait {
  readonly mark: string;
  readonly what: string;
  /** Key of the route that it went to. Undefined: it was for none. */
  readonly route?: string;
  /** Undefined: who was asked hung up. */
  readonly exchange: Exchange | undefined;
  readonly sentAt: number;
  /** Said where who is honest was served no better: that nobody comes shows nothing. */
  unserved?: string;
}

/** How long is waited for whoever was sent to us, once all was sent: longer for a target that takes long. */
const [patienceMs, mostPatienceMs] = [500, 5000];
/** How long the last one has at least, where everything else is over sooner. */
const lateMs = 3000;

/** What nobody had come for when its check ended, and who came, by who listens. */
interface Kept {
  readonly baits: Bait[];
  /** Told of already. */
  readonly told: Set<Hit>;
}

const kept = new WeakMap<Listener, Kept>();

function keptBy(listener: Listener): Kept {
  const known = kept.get(listener) ?? { baits: [], told: new Set<Hit>() };
  kept.set(listener, known);
  return known;
}

/** Without somebody who hears it, that nobody came shows nothing. */
export async function listenerThatHears(context: AuditContext, tally: Tally): Promise<Listener | undefined> {
  const listener = await context.listener();
  const mark = context.mark();
  await listener.ask(`/${mark}`);
  if (listener.hits.some(({ text }) => text.includes(mark))) return listener;
  tally.miss("what was opened to listen here does not hear who comes");
  return undefined;
}

/** Waits a moment, and judges by who came. What nobody came for is kept for the end. */
export async function judgeBaits(
  context: AuditContext,
  tally: Tally,
  listener: Listener,
  before: number,
  baits: readonly Bait[],
): Promise<void> {
  const slowest = Math.max(0, ...baits.map(({ exchange }) => exchange?.response.durationMs ?? 0));
  await context.sleep(Math.min(mostPatienceMs, Math.max(patienceMs, 2 * slowest)));
  const hits = listener.hits.slice(before);
  const { told, baits: waiting } = keptBy(listener);
  for (const hit of hits.filter(isUnnamed)) {
    told.add(hit);
    tally.fail(strangerSeen("somebody came who says no address, while addresses of ours were sent", hit));
  }
  for (const bait of baits) {
    const hasCome = hits.some(({ text }) => text.includes(bait.mark));
    const { what } = bait;
    tally.expect(
      !hasCome,
      seen(context, `${what}: ${hasCome ? "and somebody" : "nobody"} asked for it`, bait),
    );
    if (!hasCome) waiting.push(bait);
  }
}

const strangerSeen = (about: string, { text }: Hit): Evidence => ({
  kind: "measurement",
  about,
  value: text.slice(0, 40),
});

const seen = (context: AuditContext, about: string, { exchange }: Bait): Evidence =>
  exchange === undefined
    ? { kind: "measurement", about, value: "it hung up" }
    : see(context, about, exchange);

/** What stands in a queue is done later: at the end of everything, who was sent to us by requests of routes is looked for once more. */
export const noLateVisits: Check = {
  name: "nobody comes later for an address that was in a request",
  kind: "live",
  attack: { kind: "ssrf", promise: "to", per: "route" },
  isActive: true,
  isSupporting: true,
  isLast: true,
  notApplicable: withoutRoutes,
  run: async (context, tally) => {
    const { routes } = context.contract;
    for (const route of routes) honestCall(context, route, tally);
    const keys = new Set<string | undefined>(routes.map(({ key }) => key));
    await judgeLate(context, tally, ({ route }) => route !== undefined && keys.has(route));
  },
};

/** The same of what is said before any route is found; and whoever comes and does not say what for. */
export const noLateTunnels: Check = {
  name: "nobody comes later for a request line or a Host, and nobody who does not say what for",
  kind: "live",
  attack: { kind: "ssrf", promise: "origin", per: "site" },
  isActive: true,
  isSupporting: true,
  isLast: true,
  run: async (context, tally) => {
    await judgeLate(context, tally, ({ route }) => route === undefined);
    const listener = await context.listener();
    const { told } = keptBy(listener);
    for (const hit of listener.hits.filter((one) => isUnnamed(one) && !told.has(one)))
      tally.fail(strangerSeen("somebody came later who says no address", hit));
  },
};

async function judgeLate(
  context: AuditContext,
  tally: Tally,
  isAbout: (bait: Bait) => boolean,
): Promise<void> {
  const listener = await context.listener();
  const baits = keptBy(listener).baits.filter(isAbout);
  if (baits.length === 0)
    return tally.miss("no address of ours was in a request that nobody came for at once");
  const last = Math.max(...baits.map(({ sentAt }) => sentAt));
  await context.sleep(Math.max(0, last + lateMs - context.now()));
  for (const { unserved } of baits) if (unserved !== undefined) tally.miss(unserved);
  const late = baits.filter(({ mark }) => listener.hits.some(({ text }) => text.includes(mark)));
  for (const bait of late) tally.fail(seen(context, `${bait.what}: and somebody asked for it later`, bait));
  tally.expect(late.length === 0, {
    kind: "measurement",
    about: "addresses of ours that were in requests, and that somebody came for later",
    value: late.length,
    unit: `of ${baits.length}`,
  });
}
