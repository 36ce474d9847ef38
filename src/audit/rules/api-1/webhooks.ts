import type { Call } from "../../requests/caller.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { forgeSignature } from "../../forge/webhook.ts";
import type { AuditSigner } from "../../plan/plan.ts";
import { honestCalls } from "../../requests/inputs.ts";
import { bodyBytes } from "../../requests/sign-request.ts";
import { refusedAndNotDone } from "../deliveries.ts";
import type { BadDelivery } from "../deliveries.ts";
import { honestCall, isSuccess, see } from "../shared.ts";
import { readState } from "../state.ts";
import { takesWebhooks, webhookRoutes, withoutWebhooks } from "../webhooks.ts";
import type { WebhookRoute } from "../webhooks.ts";
import { takenOnceOfMany } from "./webhook-copies.ts";
import { deliver, rememberTaken, sendAgain } from "./webhook-deliveries.ts";

type Headers = Readonly<Record<string, string>>;

/** A delivery that its sender did not send like this. */
interface Forgery {
  name: string;
  call: Partial<Call>;
}

/** What a forgery is made from: a body that the route takes, and how its sender would sign it. */
interface Original {
  context: AuditContext;
  route: WebhookRoute;
  body: Uint8Array;
  sign: (body: Uint8Array, secondsFromNow?: number) => Promise<Headers>;
}

/** A check that routes refuse these deliveries, and that none of them is taken all the same. */
const refused = (
  name: string,
  forge: (original: Original) => Promise<readonly Forgery[]>,
  notApplicable: Check["notApplicable"] = withoutWebhooks,
): Check => ({
  name,
  kind: "live",
  attack: { kind: "webhooks", promise: "webhook", per: "route" },
  isActive: true,
  notApplicable,
  run: async (context, tally) => {
    for (const route of webhookRoutes(context)) {
      const signer = context.plan.signatures?.[route.key];
      if (honestCall(context, route, tally) === undefined || signer === undefined) continue;
      await refusedAndNotDone(context, tally, {
        route,
        make: async (own) => {
          const [honest] = honestCalls(own, route);
          if (honest === undefined) return [];
          const original = await originalOf(own, route, signer, { route, ...honest });
          return (await forge(original)).map(({ name, call }) => ({
            about: `${route.key}: a delivery that is ${name} must be refused (403)`,
            send: (caller) => caller.call({ route, ...honest, ...call }),
          }));
        },
      });
    }
  },
});

async function originalOf(
  context: AuditContext,
  route: WebhookRoute,
  signer: AuditSigner,
  call: Call,
): Promise<Original> {
  const body = bodyBytes(await context.caller.request({ ...call, signature: {} }));
  return {
    context,
    route,
    body,
    sign: async (bytes, secondsFromNow = 0) => signer(bytes, new Date(context.now() + secondsFromNow * 1000)),
  };
}

const unsigned = refused("webhooks that nobody signed", async ({ sign, body }) => {
  const genuine = await sign(body);
  return [
    { name: "not signed at all", call: { signature: {} } },
    { name: "signed with nothing", call: { signature: mapValues(genuine, () => "") } },
    ...Object.keys(genuine).map((name) => {
      const { [name]: _, ...others } = genuine;
      return { name: `without ${name}`, call: { signature: others } };
    }),
  ];
});

const anotherKey = refused("webhooks signed with another key", async ({ route, sign, body, context }) => {
  const genuine = await sign(body);
  const forged = await forgeSignature(route.webhook.scheme, body, new Date(context.now()));
  const name = signatureIn(genuine);
  return [
    { name: "signed with a key of ours", call: { signature: forged } },
    {
      name: "signed, with one letter of the signature changed",
      // Before the end, where base64 has bits that count for nothing.
      call: { signature: { ...genuine, [name]: changed(genuine[name] ?? "", 5) } },
    },
  ];
});

const changedBody = refused("webhooks changed after they were signed", async ({ sign, body }) => {
  const spaced = new Uint8Array(body.length + 1);
  spaced.set(body);
  spaced[body.length] = 0x20;
  const genuine = await sign(body);
  return [
    // The same to any parser, so nothing but the signature can tell.
    { name: "one space longer than what was signed", call: { signature: await sign(body), rawBody: spaced } },
    { name: "signed over an empty body", call: { signature: await sign(new Uint8Array()) } },
    ...Object.entries(genuine).flatMap(([name, value]): Forgery[] =>
      name === signatureIn(genuine)
        ? []
        : [
            {
              name: `given another ${name} than was signed`,
              call: { signature: { ...genuine, [name]: changed(value, 1) } },
            },
          ],
    ),
  ];
});

const wrongTime = refused(
  "webhooks signed too long ago, or later than it is",
  async ({ route, sign, body }) => {
    if (route.webhook.scheme === "github") return [];
    const { toleranceSeconds } = route.webhook;
    const beyond = toleranceSeconds + 30;
    return [
      { name: `signed ${beyond} seconds ago`, call: { signature: await sign(body, -beyond) } },
      { name: `signed ${beyond} seconds from now`, call: { signature: await sign(body, beyond) } },
    ];
  },
  (context) =>
    withoutWebhooks(context) ??
    (webhookRoutes(context).some(({ webhook }) => webhook.scheme !== "github")
      ? undefined
      : "no route's sender signs the time"),
);

/** Other routes whose senders sign alike, with keys of their own. */
const neighbours = (context: AuditContext, { webhook }: WebhookRoute): WebhookRoute[] =>
  context.declaredRoutes
    .filter(takesWebhooks)
    .filter((other) => other.webhook.scheme === webhook.scheme && other.webhook.secret !== webhook.secret);

const anothersKey = refused(
  "webhooks signed with another route's key",
  async ({ context, route, body }) => {
    const forged: Forgery[] = [];
    for (const { key } of neighbours(context, route)) {
      const signature = await context.plan.signatures?.[key]?.(body, new Date(context.now()));
      if (signature !== undefined) forged.push({ name: `signed for ${key}`, call: { signature } });
    }
    return forged;
  },
  (context) =>
    withoutWebhooks(context) ??
    (webhookRoutes(context).some((route) => neighbours(context, route).length > 0)
      ? undefined
      : "no two routes' senders sign alike with keys of their own"),
);

/** What must be refused whoever sends it. */
export const forgedWebhooks: readonly Check[] = [unsigned, anotherKey, changedBody, wrongTime, anothersKey];

/** Whoever saw a delivery can send it again, as it was, afterwards or at once. That it was taken the first time is the honest request of these checks. */
export const replayedWebhook: Check = {
  name: "a webhook is taken once",
  kind: "live",
  attack: { kind: "webhooks", promise: "webhook", per: "route" },
  isActive: true,
  notApplicable: withoutWebhooks,
  run: async (context, tally) => {
    for (const route of webhookRoutes(context)) {
      if (honestCall(context, route, tally) === undefined) continue;
      await refusedAndNotDone(context, tally, { route, make: (own) => takenOnce(own, tally, route) });
      await takenOnceOfMany(context, tally, route);
    }
  },
};

const queuedMs = 250;

/** A delivery that was taken, to be sent again. */
async function takenOnce(context: AuditContext, tally: Tally, route: WebhookRoute): Promise<BadDelivery[]> {
  const before = await readState(context, route);
  const delivery = await deliver(context, route);
  if (delivery === undefined) return [];
  const { request, first } = delivery;
  if (isSuccess(first.response.status)) rememberTaken(context, route, request);
  tally.expect(
    isSuccess(first.response.status),
    see(context, `${route.key}: what its sender signed is taken`, first),
  );
  if (before !== undefined && (await readState(context, route)) === before)
    tally.miss(`${route.key}: what was taken changed nothing that the plan's state shows`);
  // What it brings about may stand in a queue, and is not to be taken for the next one's doing.
  await context.sleep(queuedMs);
  return [
    {
      about: `${route.key}: the same again must be refused (403)`,
      send: (caller) => sendAgain(context, caller, request),
    },
  ];
}

const mapValues = (headers: Headers, change: (value: string) => string): Headers =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, change(value)]));

/** The header with the signature itself: it is the longest. */
const signatureIn = (headers: Headers): string =>
  Object.entries(headers).sort(([, one], [, other]) => other.length - one.length)[0]?.[0] ?? "";

/** A text of the same form with another letter or digit, so far from its end. */
function changed(text: string, fromEnd: number): string {
  const at = Math.max(0, text.length - fromEnd);
  const letter = text[at] ?? "";
  const other = /\d/.test(letter) ? (letter === "1" ? "2" : "1") : letter === "a" ? "b" : "a";
  return `${text.slice(0, at)}${other}${text.slice(at + 1)}`;
}
