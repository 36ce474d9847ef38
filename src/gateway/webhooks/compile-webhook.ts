import type { ContractRoute } from "../../contract/index.ts";
import type { Passage, RouteAnswers } from "../answers/route-answers.ts";
import type { GatewayAnswer, GatewayRequest, Respond } from "../types.ts";
import type { SignatureVerdict, WebhookVerifier } from "./types.ts";

/** Lets a signed request pass, with its very bytes; everything else it answers. */
export type CheckSignature = (passage: Passage, body: Uint8Array, next: () => void) => void;

const trySoon = ["retry-after", "5"];

/**
 * Compiles what stands before the parser on a route that webhooks are sent to: the bytes are judged as they came, and the same bytes are parsed
 * afterwards. Undefined: the route takes none.
 *
 * An answer with status 2xx means that it was taken; with any other its sender tries again, and that counts as new. It leaves once either is
 * remembered.
 */
export function compileWebhook(
  { key, webhook }: ContractRoute,
  verifier: WebhookVerifier | undefined,
  { refuse, refuseThrown, succeed }: Pick<RouteAnswers, "refuse" | "refuseThrown" | "succeed">,
): CheckSignature | undefined {
  if (webhook === undefined) return undefined;
  if (verifier === undefined) throw new Error(`No verifier of webhooks for ${key}`);

  function judge(passage: Passage, verdict: SignatureVerdict, next: () => void): void {
    switch (verdict.kind) {
      case "genuine":
        return pass(passage, verdict.settle, next);
      case "repeated":
        return succeed(passage, 204, undefined, []);
      case "under-way":
        return refuse(passage, { code: "GATEWAY_WEBHOOK_UNDER_WAY", headers: trySoon });
      case "refused":
        return refuse(passage, { code: "GATEWAY_WEBHOOK_REFUSED", reason: verdict.reason });
      case "unavailable":
        return refuse(passage, {
          code: "GATEWAY_WEBHOOKS_UNAVAILABLE",
          reason: verdict.reason,
          headers: trySoon,
        });
    }
  }

  return (passage, body, next) => {
    const { request } = passage;
    verifier.verify({ route: key, header: (name) => request.header(name), body }).then(
      (verdict) => judge(passage, verdict, next),
      (error: unknown) => refuseThrown(passage, error),
    );
  };

  function pass(passage: Passage, settle: Settle, next: () => void): void {
    // Nobody waits for it any more.
    if (passage.answered) return void settle(false).catch(() => undefined);
    const { respond } = passage;
    passage.respond = (answer) => {
      const isTaken = answer.status >= 200 && answer.status < 300;
      settle(isTaken).then(
        () => respond(answer),
        () => (isTaken ? unsettled(passage, respond, answer) : respond(answer)),
      );
    };
    try {
      next();
    } catch (error) {
      refuseThrown(passage, error);
    }
  }

  /** Who is told that a delivery was taken does not send it again, but somebody else might: so nobody is told what is not remembered. */
  function unsettled(passage: Passage, respond: Respond, { stream }: GatewayAnswer): void {
    stream?.cancel();
    passage.respond = respond;
    passage.answered = false;
    refuse(passage, {
      code: "GATEWAY_WEBHOOKS_UNAVAILABLE",
      reason: "it was done, but can't be remembered as taken",
      headers: trySoon,
    });
  }
}

type Settle = Extract<SignatureVerdict, { kind: "genuine" }>["settle"];

/**
 * Tells whether a page in a browser sent a request. Nobody's page sends webhooks, and a browser can't keep any page from sending something like
 * one; both headers are the browser's own, and pages can't take them away.
 *
 * @see WHATWG Fetch (Origin), W3C Fetch Metadata §2.3
 */
export const isFromPage = (request: Pick<GatewayRequest, "header">): boolean =>
  request.header("origin") !== undefined || request.header("sec-fetch-site") !== undefined;
