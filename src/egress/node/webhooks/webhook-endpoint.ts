import type { IncomingMessage, ServerResponse } from "node:http";
import type { ContractRoute } from "../../../contract/index.ts";
import { routeHeader } from "../../headers.ts";
import { readWebhookSettlement, webhookCheckPath, webhookSettlePath } from "../../webhooks/exchange.ts";
import type { WebhookChecks, WebhookVerdict } from "../../webhooks/webhook-checks.ts";

/** Answers the edge's questions about webhooks; made by {@link createWebhookEndpoint}. */
export interface WebhookEndpoint {
  /** Tells whether a request on the edge's socket is such a question. */
  matches(request: IncomingMessage): boolean;
  /** Answers it. Never throws. */
  handle(request: IncomingMessage, response: ServerResponse): void;
}

/** More than a settlement takes. */
const maxSettlementBytes = 1024;

/** Puts {@link WebhookChecks} on the edge's socket. No body is read that is longer than its route takes. */
export function createWebhookEndpoint({
  checks,
  routes,
}: {
  readonly checks: WebhookChecks;
  readonly routes: readonly Pick<ContractRoute, "key" | "webhook" | "maxBodyBytes">[];
}): WebhookEndpoint {
  const limits = new Map(
    routes.flatMap(({ key, webhook, maxBodyBytes }) =>
      webhook === undefined ? [] : [[key, maxBodyBytes] as const],
    ),
  );

  async function check(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const route = readRoute(request.headers[routeHeader]);
    const maxBytes = limits.get(route);
    if (maxBytes === undefined)
      return answer(response, { kind: "refused", reason: "no such route takes webhooks" });
    const body = await readBody(request, maxBytes);
    if (body === undefined) return refuse(request, response);
    const header = (name: string): string | undefined => {
      const value = request.headers[name];
      return typeof value === "string" ? value : undefined;
    };
    answer(response, await checks.check({ route, header, body }));
  }

  async function settle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const settlement = readWebhookSettlement(parse(await readBody(request, maxSettlementBytes)));
    if (settlement === undefined) return refuse(request, response);
    const isSettled = await checks.settle(settlement.ticket, settlement.isTaken);
    response.writeHead(isSettled ? 204 : 409).end();
  }

  return {
    matches: ({ url }) => url === webhookCheckPath || url === webhookSettlePath,
    handle(request, response) {
      const answered =
        request.url === webhookCheckPath ? check(request, response) : settle(request, response);
      answered.catch(() => refuse(request, response));
    },
  };
}

function answer(response: ServerResponse, verdict: WebhookVerdict): void {
  const body = Buffer.from(JSON.stringify(verdict));
  response.writeHead(200, { "content-type": "application/json", "content-length": body.length }).end(body);
}

/** For what the edge doesn't send. */
function refuse(request: IncomingMessage, response: ServerResponse): void {
  if (response.headersSent) return void request.destroy();
  response.writeHead(400, { "content-length": 0, connection: "close" }).end();
}

function readRoute(header: string | string[] | undefined): string {
  try {
    return typeof header === "string" ? decodeURIComponent(header) : "";
  } catch {
    return "";
  }
}

/** Undefined: it is longer than that, or ended too soon. */
async function readBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      length += part.length;
      if (length > maxBytes) return undefined;
      parts.push(part);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(parts);
}

function parse(bytes: Uint8Array | undefined): unknown {
  try {
    return bytes === undefined ? undefined : JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
