import { z } from "zod";
import type { Lie } from "./lies.ts";
import type { Change, Placement, Row, ShopStore } from "./store.ts";

/** A request as the shop's routes see it, once the gateway's assertion has been verified. */
export interface ShopRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: unknown;
  /** Who the gateway says is calling; undefined when nobody is signed in. */
  readonly subject: string | undefined;
}

/** What a route answers. */
export type ShopAnswer = ShopJson | ShopFile | ShopEvents | ShopLie;

/** A status and what is sent as JSON. */
export interface ShopJson {
  readonly status: number;
  readonly body: unknown;
  /** For how long the same may be said again. Default: not at all. */
  readonly keepSeconds?: number;
}

/** What is told instead of the truth. */
export interface ShopLie {
  readonly lie: Lie;
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

const Note = z.string().max(200);

const NewOrder = z.object({
  items: z
    .array(z.object({ product: z.string(), quantity: z.int().min(1).max(50) }))
    .min(1)
    .max(20),
  reference: z.string().max(64).optional(),
  note: Note.optional(),
});

const NewNote = z.object({ note: Note });

const Voucher = z.object({ code: z.string().min(1).max(40) });

/**
 * The shop's routes. Who may see an order is somebody else's business here, as it often is: the gateway's, whose contract
 * names each route's owner and the fields that may leave.
 */
export function shopRoutes(store: ShopStore, lieAbout?: LieAbout): readonly ShopRoute[] {
  return [
    {
      method: "GET",
      path: "/api/products",
      answer: () => ({ status: 200, body: { products: store.products() }, keepSeconds }),
    },
    withLies(
      get("/api/products/:id", ({ params }) => store.product(params["id"] ?? "")),
      lieAbout?.product,
    ),
    get("/api/users/:user/orders", ({ params }) => ({ orders: store.ordersOf(params["user"] ?? "") })),
    withLies(
      get("/api/orders/:id", ({ params }) => store.order(params["id"] ?? "")),
      lieAbout?.order,
    ),
    withLies(
      {
        method: "GET",
        path: "/api/orders/:id/receipt",
        answer: ({ params }) => receipt(store.order(params["id"] ?? "")),
      },
      lieAbout?.receipt,
    ),
    { method: "GET", path: "/api/oven", answer: () => ({ listen: (tell) => bake(store, tell) }) },
    get("/api/staff/orders", ({ query }) => ({ orders: store.orders(query.get("status")) })),
    { method: "GET", path: "/api/card", answer: ({ subject }) => cardOf(store, subject) },
    get("/api/kitchens/:kitchen/standing-order", ({ params }) => ({
      kitchen: params["kitchen"],
      lines: store.standingOrder(params["kitchen"] ?? ""),
    })),
    { method: "POST", path: "/api/orders", answer: (request) => placeOrder(store, request) },
    { method: "PATCH", path: "/api/orders/:id", answer: (request) => noteOnOrder(store, request) },
    {
      method: "DELETE",
      path: "/api/orders/:id",
      answer: ({ params }) => changed(store.cancelOrder(params["id"] ?? "")),
    },
    { method: "POST", path: "/api/vouchers", answer: (request) => redeem(store, request) },
  ];
}

/** How old a list of products may be, and a customer's card. */
const keepSeconds = 5;

/** The lies that are told, each about something by its id, where there is one. */
export type LieAbout = Readonly<Record<"product" | "order" | "receipt", FindLie>>;

type FindLie = (id: string) => Lie | undefined;

const withLies = (route: ShopRoute, find: FindLie = () => undefined): ShopRoute => ({
  ...route,
  answer: (request) => {
    const lie = find(request.params["id"] ?? "");
    return lie === undefined ? route.answer(request) : { lie };
  },
});

/** The shop's list of payments: not for the gateway, but for whoever has the shop's own key. */
export function paymentRoute(store: ShopStore): ShopRoute {
  return { method: "POST", path: "/payments", answer: ({ body }) => notePayment(store, body) };
}

const Payment = z.object({ order: z.uuid() });

function notePayment(store: ShopStore, body: unknown): ShopAnswer {
  const input = Payment.safeParse(body);
  if (!input.success) return refused(400, "That is not a payment.");
  return store.pay(input.data.order) ? { status: 200, body: { noted: true } } : notFound;
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
/** So many are told at once to who begins to listen. */
const lastBatches = 2;

/** Tells of the last batches at once, and of the next ones as they leave the oven. */
function bake(store: ShopStore, tell: (name: string, data: unknown) => void): () => void {
  let number = Math.floor(Date.now() / batchEveryMs) - lastBatches;
  const next = (): void => tell("batch", store.batch(++number));
  for (let told = 0; told < lastBatches; told++) next();
  const timer = setInterval(next, batchEveryMs);
  return () => clearInterval(timer);
}

function cardOf(store: ShopStore, subject: string | undefined): ShopAnswer {
  const card = store.card(subject ?? "");
  return card === undefined ? notFound : { status: 200, body: card, keepSeconds };
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
  return placed(store.placeOrder(subject, input.data));
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

function noteOnOrder(store: ShopStore, { params, body }: ShopRequest): ShopAnswer {
  const input = NewNote.safeParse(body);
  if (!input.success) return refused(400, "That is not a note.");
  return changed(store.noteOnOrder(params["id"] ?? "", input.data.note));
}

function changed(change: Change): ShopAnswer {
  switch (change.kind) {
    case "changed":
      return { status: 200, body: change.order };
    case "none":
      return notFound;
    case "too-late":
      return refused(409, "Somebody has begun with this order.");
  }
}

function redeem(store: ShopStore, { body }: ShopRequest): ShopAnswer {
  const input = Voucher.safeParse(body);
  const voucher = input.success ? store.redeem(input.data.code) : undefined;
  return voucher === undefined ? refused(422, "No voucher has this code.") : { status: 200, body: voucher };
}
