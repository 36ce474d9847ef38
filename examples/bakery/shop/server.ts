import { createServer } from "node:https";
import type { Server } from "node:https";
import type { IncomingMessage } from "node:http";
import type { DatabaseSync } from "node:sqlite";
import { assertionHeader } from "curtainwall/upstream";
import { says } from "../others/api.ts";
import { notFound, paymentRoute, refused, shopRoutes } from "./routes.ts";
import type { LieAbout, ShopAnswer, ShopJson, ShopRoute } from "./routes.ts";
import { send } from "./send.ts";
import { createShopStore } from "./store.ts";
import type { Arrival } from "./witness.ts";

/** Checks the gateway's assertion for one request, and says whom it speaks of. Throws when anything is wrong with it. */
export type VerifyAssertion = (
  header: string | undefined,
  request: { method: string; path: string; body: () => Promise<Uint8Array> },
) => Promise<{ subject: string | undefined; roles: readonly string[] }>;

/** Options of {@link createShop}. */
export interface ShopOptions {
  database: DatabaseSync;
  certificate: { cert: string; key: string };
  verify: VerifyAssertion;
  /** Opens the list of payments, in `X-Shop-Key`. */
  paymentsKey: string;
  /** Answers certain products and orders wrongly, for the audit to ask for. Default: none. */
  lieAbout?: LieAbout;
  /** Told of each request that is to have come through the gateway, or with a key, once it was read. Default: nobody is. */
  onArrival?: (arrival: Arrival) => void;
  /** Told about errors that are the shop's own. */
  onError: (error: unknown) => void;
}

const maxBodyBytes = 65_536;
const maxConnections = 256;

/** Makes the shop's API: JSON over HTTPS (TLS 1.3), which answers only what the gateway has signed for. */
export function createShop({
  database,
  certificate,
  verify,
  paymentsKey,
  lieAbout,
  onArrival = () => undefined,
  onError,
}: ShopOptions): Server {
  const store = createShopStore(database);
  const routes = shopRoutes(store, lieAbout);
  const payments = paymentRoute(store);
  const server = createServer(
    {
      ...certificate,
      minVersion: "TLSv1.3",
      maxHeaderSize: 16_384,
      headersTimeout: 5000,
      requestTimeout: 10_000,
    },
    (request, response) => {
      (request.url === payments.path
        ? answerHolder(request, payments, { paymentsKey, onArrival })
        : answer(request, routes, { verify, onArrival })
      )
        .catch((error: unknown): ShopAnswer => {
          onError(error);
          return { status: 500, body: careless(error) };
        })
        .then((result) => send(response, result))
        .catch(onError);
    },
  );
  server.maxConnections = maxConnections;
  return server;
}

/** What many frameworks send unless they are told not to. It must not get past the gateway. */
const careless = (error: unknown): unknown =>
  error instanceof Error ? { error: error.message, stack: error.stack } : { error: String(error) };

async function answer(
  request: IncomingMessage,
  routes: readonly ShopRoute[],
  { verify, onArrival }: Required<Pick<ShopOptions, "verify" | "onArrival">>,
): Promise<ShopAnswer> {
  const method = request.method ?? "GET";
  const target = request.url ?? "/";
  let received: ReceivedBody = { bytes: new Uint8Array(), isTooLarge: false };
  const caller = await verify(header(request, assertionHeader), {
    method,
    path: target,
    // Called once the rest of the assertion holds: nobody else can make the shop read.
    body: async () => (received = await read(request)).bytes,
  }).catch(() => undefined);
  onArrival({ method, target, headers: request.headers, body: received.bytes });
  if (received.isTooLarge) return refused(413, "That is too much.");
  if (caller === undefined) return refused(401, "Only the bakery's gateway may call the shop.");

  const url = URL.parse(target, "https://shop.invalid");
  const matches = url === null ? [] : routes.flatMap((route) => match(route, url.pathname));
  const found = matches.find(({ route }) => route.method === method);
  if (url === null || matches.length === 0) return notFound;
  if (found === undefined) return refused(405, "That is not how this is used.");

  const body = method === "POST" || method === "PATCH" ? readJson(request, received) : { value: undefined };
  if ("status" in body) return body;
  return found.route.answer({
    params: found.params,
    query: url.searchParams,
    body: body.value,
    subject: caller.subject,
  });
}

/** Answers whoever has the shop's own key. */
async function answerHolder(
  request: IncomingMessage,
  route: ShopRoute,
  { paymentsKey, onArrival }: Required<Pick<ShopOptions, "paymentsKey" | "onArrival">>,
): Promise<ShopAnswer> {
  if (!says(header(request, "x-shop-key"), paymentsKey))
    return refused(401, "Only who has the shop's key may say so.");
  const { method = "GET" } = request;
  if (method !== route.method) return refused(405, "That is not how this is used.");
  const received = await read(request);
  // Its headers have the key.
  onArrival({ method, target: route.path, headers: {}, body: received.bytes });
  const body = readJson(request, received);
  return "status" in body
    ? body
    : route.answer({ params: {}, query: new URLSearchParams(), body: body.value, subject: undefined });
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : undefined;
}

function match(route: ShopRoute, pathname: string): { route: ShopRoute; params: Record<string, string> }[] {
  const wanted = route.path.split("/");
  const given = pathname.split("/");
  if (wanted.length !== given.length) return [];
  const params: Record<string, string> = {};
  for (const [index, segment] of wanted.entries()) {
    const text = decode(given[index] ?? "");
    if (segment.startsWith(":") && text !== undefined && text !== "") params[segment.slice(1)] = text;
    else if (segment !== text) return [];
  }
  return [{ route, params }];
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

interface ReceivedBody {
  bytes: Uint8Array;
  isTooLarge: boolean;
}

async function read(request: IncomingMessage): Promise<ReceivedBody> {
  const chunks: Buffer[] = [];
  let length = 0;
  // Read to the end even when it is too much: leaving the loop would cut the connection before the answer is out.
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= maxBodyBytes) chunks.push(chunk);
  }
  return { bytes: Buffer.concat(chunks), isTooLarge: length > maxBodyBytes };
}

function readJson(request: IncomingMessage, { bytes }: ReceivedBody): { value: unknown } | ShopJson {
  const type = header(request, "content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") return refused(415, "Send JSON.");
  try {
    return { value: JSON.parse(Buffer.from(bytes).toString("utf8")) };
  } catch {
    return refused(400, "That is not JSON.");
  }
}
