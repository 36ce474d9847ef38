import { z } from "zod";
import type { Placement, Row, ShopStore } from "./store.ts";

/** A request as the shop's routes see it, once the gateway's assertion has been verified. */
export interface ShopRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: unknown;
  /** Who the gateway says is calling; undefined when nobody is signed in. */
  readonly subject: string | undefined;
}

/** What a route answers. */
export type ShopAnswer = ShopJson | ShopFile | ShopEvents;

/** A status and what is sent as JSON. */
export interface ShopJson {
  readonly status: number;
  readonly body: unknown;
}

/** A text as a file. */
export interface ShopFile {
  readonly file: string;
}

/** Events for as long as somebody listens. */
export interface ShopEvents {
  /** Begins to tell; returns what ends it. */
  readonly listen: (tell: (name: string, data: unknown) => void) => () => void;
}

/** One route of the shop. */
export interface ShopRoute {
  readonly method: string;
  /** Segments of its path; those that begin with `:` are parameters. */
  readonly path: string;
  readonly answer: (request: ShopRequest) => ShopAnswer;
}

const NewOrder = z.object({
  items: z
    .array(z.object({ product: z.string(), quantity: z.int().min(1).max(50) }))
    .min(1)
    .max(20),
  reference: z.string().max(64).optional(),
});

const Voucher = z.object({ code: z.string().min(1).max(40) });

const Message = z.object({
  name: z.string().min(1).max(80),
  email: z.string().max(254),
  message: z.string().min(1).max(4000),
});

/**
 * The shop's routes. Who may see an order is somebody else's business here, as it often is: the gateway's, whose contract
 * names each route's owner and the fields that may leave.
 */
export function shopRoutes(store: ShopStore): readonly ShopRoute[] {
  return [
    get("/api/products", () => ({ products: store.products() })),
    get("/api/products/:id", ({ params }) => store.product(params["id"] ?? "")),
    get("/api/users/:user/orders", ({ params }) => ({ orders: store.ordersOf(params["user"] ?? "") })),
    get("/api/orders/:id", ({ params }) => store.order(params["id"] ?? "")),
    {
      method: "GET",
      path: "/api/orders/:id/receipt",
      answer: ({ params }) => receipt(store.order(params["id"] ?? "")),
    },
    { method: "GET", path: "/api/oven", answer: () => ({ listen: (tell) => bake(store, tell) }) },
    get("/api/staff/orders", ({ query }) => ({ orders: store.orders(query.get("status")) })),
    { method: "POST", path: "/api/orders", answer: (request) => placeOrder(store, request) },
    { method: "POST", path: "/api/vouchers", answer: (request) => redeem(store, request) },
    { method: "POST", path: "/api/contact", answer: (request) => keepMessage(store, request) },
  ];
}

/** An answer that refuses, with the reason. */
export const refused = (status: number, error: string): ShopJson => ({ status, body: { error } });

/** What is said of anything that is not there. */
export const notFound: ShopJson = refused(404, "There is no such thing here.");

function get(path: string, read: (request: ShopRequest) => unknown): ShopRoute {
  const answer = (request: ShopRequest): ShopAnswer => {
    const body = read(request);
    return body === undefined ? notFound : { status: 200, body };
  };
  return { method: "GET", path, answer };
}

const batchEveryMs = 20_000;

/** Tells of the last batch at once, and of the next ones as they leave the oven. */
function bake(store: ShopStore, tell: (name: string, data: unknown) => void): () => void {
  const bakedAt = Math.floor(Date.now() / batchEveryMs);
  let count = 0;
  const next = (): void => tell("batch", store.batch(bakedAt + count++));
  next();
  const timer = setInterval(next, batchEveryMs);
  return () => clearInterval(timer);
}

function receipt(order: Row | undefined): ShopAnswer {
  if (order === undefined) return notFound;
  const text = (value: unknown): string => String(value);
  const pounds = (cents: unknown): string => (Number(cents) / 100).toFixed(2);
  const items = order["items"] as readonly Row[];
  const lines = [
    `Order ${text(order["id"])}`,
    text(order["placedAt"]),
    ...items.map(
      (item) => `${text(item["quantity"])} ${text(item["product"])} at ${pounds(item["unitPriceCents"])}`,
    ),
    `${text(order["currency"])} ${pounds(order["totalCents"])}`,
  ];
  return { file: `${lines.join("\n")}\n` };
}

function placeOrder(store: ShopStore, { body, subject }: ShopRequest): ShopAnswer {
  const input = NewOrder.safeParse(body);
  if (!input.success) return refused(400, "That is not an order.");
  if (subject === undefined || !store.isCustomer(subject))
    return refused(403, "Only a customer can place an order.");
  return placed(store.placeOrder(subject, input.data.items, input.data.reference));
}

function placed(placement: Placement): ShopAnswer {
  switch (placement.kind) {
    case "placed":
      return { status: 201, body: placement.order };
    case "known":
      return { status: 200, body: placement.order };
    case "conflict":
      return refused(409, "This reference belongs to a different order.");
    case "not-for-sale":
      return refused(422, "One of these is not for sale.");
  }
}

function redeem(store: ShopStore, { body }: ShopRequest): ShopAnswer {
  const input = Voucher.safeParse(body);
  const voucher = input.success ? store.redeem(input.data.code) : undefined;
  return voucher === undefined ? refused(422, "No voucher has this code.") : { status: 200, body: voucher };
}

function keepMessage(store: ShopStore, { body }: ShopRequest): ShopAnswer {
  const input = Message.safeParse(body);
  if (!input.success) return refused(400, "That is not a message.");
  return { status: 201, body: store.keepMessage(input.data) };
}
