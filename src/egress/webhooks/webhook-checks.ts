import type { ContractRoute, ContractWebhook, EventSink } from "../../contract/index.ts";
import { equalBytes, revealSecret, sha256, toBase64Url } from "../../shared/index.ts";
import type { Secret } from "../../shared/index.ts";
import { keepNothing, tolerancesOf } from "./delivery-journal.ts";
import type { DeliveryJournal } from "./delivery-journal.ts";
import { createReplayMemory, taken } from "./replay-memory.ts";
import type { ReplayMemory } from "./replay-memory.ts";
import type { SignedDelivery, WebhookScheme } from "./scheme.ts";
import { webhookSchemes } from "./schemes.ts";

/** One version of a key that senders sign with. */
export interface WebhookKey {
  readonly version: number;
  readonly value: Secret;
}

/** Where keys come from. */
export interface WebhookKeys {
  /** The versions that count, the current one first; during a rotation the one before too. Empty: there is none yet. */
  keysOf(secret: string): Promise<readonly WebhookKey[]>;
}

/** What came, whole. */
export interface Delivery {
  /** The key of the route that it came to. */
  readonly route: string;
  /** A header by its lower-case name. */
  header(name: string): string | undefined;
  /** To the byte. */
  readonly body: Uint8Array;
}

/** What a delivery was found to be. */
export type WebhookVerdict =
  /** Its sender signed it, now, and it was not taken before. Settle `ticket` once it was answered. */
  | { readonly kind: "genuine"; readonly ticket: string }
  /** Its sender signed it anew though it was taken: our answer was lost, and is given again without doing it twice. */
  | { readonly kind: "repeated" }
  /** The same one is under way. */
  | { readonly kind: "under-way" }
  | { readonly kind: "refused"; /** For the log. */ readonly reason: string }
  /** It can't be judged now. */
  | { readonly kind: "unavailable"; /** For the log. */ readonly reason: string };

/** Checks what senders sign; made by {@link createWebhookChecks}. */
export interface WebhookChecks {
  check(delivery: Delivery): Promise<WebhookVerdict>;
  /**
   * Says how a genuine delivery is to be answered: taken (2xx), or not, so that its sender's next attempt counts as new. Only once this has
   * resolved with true will a copy be known; before that nobody should be told that it was taken.
   */
  settle(ticket: string, isTaken: boolean): Promise<boolean>;
}

/** Options of {@link createWebhookChecks}. */
export interface WebhookChecksOptions {
  readonly routes: readonly Pick<ContractRoute, "key" | "webhook" | "timeoutMs">[];
  readonly keys: WebhookKeys;
  readonly events: EventSink;
  /** Keeps what is remembered for the next process. Default: nobody does, and what was signed before now is not judged. */
  readonly journal?: DeliveryJournal;
  /** Deliveries remembered for each secret, at least 1. Default 50 000: some 10 MB. */
  readonly maxRemembered?: number;
  /** The present in milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

/** The headers that any scheme needs, lower-case: all that has to be passed on of a request besides its body. */
export const webhookHeaders: readonly string[] = Object.values(webhookSchemes).flatMap(
  ({ headers }) => headers,
);

/** What the gateway and the way back take, over what the route's own answer may. */
const leaseSpareMs = 10_000;
const unnoted = "it can't be noted, so a copy would not be known";

/**
 * Checks deliveries where the keys are. In this order: form, time, signature, and whether it was taken before. A stranger without the key gets no
 * further than the signature, and so finds out nothing about what was delivered, nor fills what remembers it.
 *
 * Whatever was signed before its journal began, or while the clock is behind what it was, can't be told from what was taken then: it is
 * not judged, and its sender tries again.
 */
export function createWebhookChecks({
  routes,
  keys,
  events,
  maxRemembered = 50_000,
  now = Date.now,
  journal = keepNothing(now()),
}: WebhookChecksOptions): WebhookChecks {
  const places = new Map(
    routes.flatMap(({ key, webhook, timeoutMs }) =>
      webhook === undefined
        ? []
        : [[key, { webhook, timeoutMs, scheme: webhookSchemes[webhook.scheme] }] as const],
    ),
  );
  const tolerances = tolerancesOf(routes);
  /** By secret, not by route: what one route took must not be sent to another. */
  const memories = new Map<string, ReplayMemory>(
    [...tolerances.keys()].map((secret) => [
      secret,
      createReplayMemory({ maxEntries: maxRemembered, kept: journal.kept(secret) }),
    ]),
  );
  /** A clock that was set back would make what is forgotten count again. */
  let latestMs = now();

  function readClock(): number {
    latestMs = Math.max(latestMs, now());
    return latestMs;
  }

  /** What is wrong with its time; undefined: nothing. */
  function judgeTime(
    timestamp: number | undefined,
    toleranceMs: number,
    timeMs: number,
  ): WebhookVerdict | undefined {
    if (now() < timeMs - toleranceMs) return { kind: "unavailable", reason: "our clock was set back" };
    if (timestamp === undefined) return undefined;
    const signedMs = timestamp * 1000;
    if (signedMs + toleranceMs < timeMs) return { kind: "refused", reason: "it was signed too long ago" };
    if (signedMs - toleranceMs > timeMs) return { kind: "refused", reason: "it was signed later than it is" };
    return undefined;
  }

  async function judge(
    { webhook, timeoutMs, scheme }: Place,
    { header, body }: Delivery,
  ): Promise<{ verdict: WebhookVerdict; version?: number }> {
    const read = scheme.read(header);
    if (typeof read === "string") return { verdict: { kind: "refused", reason: read } };
    const timeMs = readClock();
    const toleranceMs = webhook.toleranceSeconds * 1000;
    const wrongTime = judgeTime(read.timestamp, toleranceMs, timeMs);
    if (wrongTime !== undefined) return { verdict: wrongTime };
    const signed = joined(new TextEncoder().encode(read.prefix), body);
    const found = await findKey(await keys.keysOf(webhook.secret), scheme, read, signed);
    if (typeof found !== "number") return { verdict: found };
    // Only now: who can't sign is told nothing about when we began.
    if (read.timestamp !== undefined && read.timestamp * 1000 < journal.sinceMs(webhook.secret))
      return { verdict: { kind: "unavailable", reason: "it was signed before we began to remember" } };
    const rememberMs = tolerances.get(webhook.secret) as number;
    const delivery = {
      name: toBase64Url(await sha256(read.id ?? signed)),
      signed: read.timestamp === undefined ? "" : String(read.timestamp),
      begunMs: timeMs,
      untilMs: (read.timestamp === undefined ? timeMs : (read.timestamp + 1) * 1000) + rememberMs,
    };
    const verdict = await begin(webhook.secret, delivery, timeMs + timeoutMs + leaseSpareMs);
    return { verdict, version: found };
  }

  /** Whether it is the first of its kind; then the next process knows of it, too. */
  async function begin(
    secret: string,
    delivery: Parameters<ReplayMemory["begin"]>[0],
    leaseMs: number,
  ): Promise<WebhookVerdict> {
    const memory = memories.get(secret) as ReplayMemory;
    switch (memory.begin(delivery, leaseMs)) {
      case "new": {
        const begun = { ...delivery, isTaken: false, endsMs: leaseMs };
        try {
          await journal.note(secret, begun);
        } catch {
          memory.drop(begun);
          return { kind: "unavailable", reason: unnoted };
        }
        return { kind: "genuine", ticket: `${secret} ${delivery.name} ${delivery.begunMs}` };
      }
      case "under-way":
        return { kind: "under-way" };
      case "repeated":
        return { kind: "repeated" };
      case "replayed":
        return { kind: "refused", reason: "it was taken before" };
      case "full":
        return { kind: "unavailable", reason: "too many deliveries to remember" };
    }
  }

  return {
    async check(delivery) {
      const place = places.get(delivery.route);
      if (place === undefined) return { kind: "refused", reason: "no such route takes webhooks" };
      const { verdict, version } = await judge(place, delivery);
      events({
        type: verdict.kind === "genuine" ? "webhook.accepted" : "webhook.refused",
        time: now(),
        route: delivery.route,
        secret: place.webhook.secret,
        version,
        ...(verdict.kind === "genuine" ? {} : { reason: reasonOf(verdict) }),
      });
      return verdict;
    },
    async settle(ticket, isTaken) {
      const [secret = "", name = "", begunMs = ""] = ticket.split(" ");
      const memory = memories.get(secret);
      const delivery = memory?.find(name, Number(begunMs));
      // It was settled already, if an answer was lost; or it took longer than its lease, and may have begun again.
      if (memory === undefined || delivery === undefined) return !isTaken;
      if (delivery.isTaken) return isTaken;
      try {
        await journal.note(secret, isTaken ? taken(delivery) : { ...delivery, endsMs: 0 });
      } catch {
        // Under way until its lease ends: neither told to be taken nor done again at once.
        return false;
      }
      if (isTaken) memory.take(delivery);
      else memory.drop(delivery);
      return true;
    },
  };
}

interface Place {
  readonly webhook: ContractWebhook;
  readonly timeoutMs: number;
  readonly scheme: WebhookScheme;
}

const reasonOf = (verdict: Exclude<WebhookVerdict, { kind: "genuine" }>): string =>
  "reason" in verdict
    ? verdict.reason
    : verdict.kind === "repeated"
      ? "it was taken before, and is not done again"
      : "it is under way";

/** The version of the key that one of the signatures was made with. All are tried with all, however soon one fits. */
async function findKey(
  versions: readonly WebhookKey[],
  scheme: WebhookScheme,
  { signatures }: SignedDelivery,
  signed: Uint8Array,
): Promise<number | Extract<WebhookVerdict, { kind: "refused" | "unavailable" }>> {
  if (versions.length === 0) return { kind: "unavailable", reason: "the secret has no value yet" };
  let found: number | undefined;
  let usableKeys = 0;
  for (const { version, value } of versions) {
    const key = scheme.keyOf(revealSecret(value));
    if (key === undefined) continue;
    usableKeys++;
    const right = await hmacSha256(key, signed);
    for (const signature of signatures) if (equalBytes(right, signature)) found ??= version;
  }
  if (usableKeys === 0)
    return { kind: "unavailable", reason: "the secret's value is no key of this kind of webhook" };
  return found ?? { kind: "refused", reason: "no signature is right" };
}

async function hmacSha256(key: Uint8Array, data: Uint8Array): Promise<Uint8Array> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key as Uint8Array<ArrayBuffer>, algorithm, false, [
    "sign",
  ]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, data as Uint8Array<ArrayBuffer>));
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
