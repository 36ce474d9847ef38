import { alice } from "../people.ts";
import { json, lieCanary } from "./lies.ts";
import type { Lie } from "./lies.ts";

/** What is said of an order instead of the truth, and what its receipt is. */
export interface LieAboutOrder {
  /** What is wrong with it. */
  readonly what: string;
  /** Its receipt alone is wrong: it is longer than a receipt may be. */
  readonly isTooLong?: true;
  readonly tell: Lie;
  readonly tellReceipt: Lie;
}

const order = {
  customerId: alice.id,
  placedAt: "2026-11-05T07:12:00.000Z",
  status: "collected",
  paid: true,
  currency: "GBP",
  totalCents: 120,
  note: lieCanary,
  items: [],
};

const receipt =
  (parts: number): Lie =>
  (response) => {
    response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
    // In parts, and without a length: how long it is shows at its end.
    for (let part = 0; part < parts; part++) response.write("one penny bun, as always\n".repeat(400));
    response.end();
  };

const told = (what: string, id: string, said: object): Record<string, LieAboutOrder> => ({
  [id]: { what, tell: json({ id, ...order, ...said }), tellReceipt: receipt(1) },
});

const unread = (what: string, id: string, tell: Lie): Record<string, LieAboutOrder> => ({
  [id]: { what, tell, tellReceipt: receipt(1) },
});

/** Orders that are answered wrongly on purpose. They stand in no list, and nobody may have any of them but Alice the last one, whose receipt has no end. */
export const orderLies: Readonly<Record<string, LieAboutOrder>> = {
  ...told("an order that names no owner", "0e5f9a10-0000-4000-8000-000000000001", { customerId: undefined }),
  ...told("an order whose owner is null", "0e5f9a10-0000-4000-8000-000000000002", { customerId: null }),
  ...unread(
    "an order that it fails on",
    "0e5f9a10-0000-4000-8000-000000000003",
    json({ error: lieCanary }, 500),
  ),
  ...unread(
    "an order as JSON that ends too early",
    "0e5f9a10-0000-4000-8000-000000000004",
    json('{"customerId":"'),
  ),
  ...unread("nothing, where it is asked for an order", "0e5f9a10-0000-4000-8000-000000000005", (response) =>
    response.destroy(),
  ),
  "0e5f9a10-0000-4000-8000-000000000006": {
    what: "a receipt that is longer than it may be, and does not say so before",
    isTooLong: true,
    tell: json({ id: "0e5f9a10-0000-4000-8000-000000000006", ...order }),
    tellReceipt: receipt(20),
  },
};
