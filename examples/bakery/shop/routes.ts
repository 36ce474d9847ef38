import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { transaction } from "./database.ts";

/** A request as the shop's routes see it, once the gateway's assertion has been verified. */
export interface ShopRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: unknown;
  /** Who the gateway says is calling; undefined when nobody is signed in. */
  readonly subject: string | undefined;
}

/** What a route answers: a status and what is sent as JSON. */
export interface ShopAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** One route of the shop. */
export interface ShopRoute {
  readonly method: string;
  /** Segments of its path; those that begin with `:` are parameters. */
  readonly path: string;
  readonly answer: (request: ShopRequest) => ShopAnswer;
}

const Items = z
  .array(z.object({ product: z.string(), quantity: z.int().min(1).max(50) }))
  .min(1)
  .max(20);
const NewOrder = z.object({ items: Items, reference: z.string().max(64).optional() });
const Message = z.object({
  name: z.string().min(1).max(80),
  email: z.string().max(254),
  message: z.string().min(1).max(4000),
});

type Row = Record<string, unknown>;

const notFound: ShopAnswer = { status: 404, body: { error: "There is no such thing here." } };
const refused = (status: number, error: string): ShopAnswer => ({ status, body: { error } });

/**
 * The shop's routes.
 *
 * They are what such code often is: `SELECT *` sends along whatever a table holds, and who may see an order is somebody
 * else's business. Both are the gateway's: its contract names the fields that may leave, and the owner of each order.
 */
export function shopRoutes(database: DatabaseSync): readonly ShopRoute[] {
  const all = (sql: string, ...values: string[]): Row[] => database.prepare(sql).all(...values);
  const one = (sql: string, ...values: string[]): Row | undefined => database.prepare(sql).get(...values);

  const product = (row: Row): Row => ({
    ...row,
    available: row["available"] === 1,
    nutrition: nutritionOf(row),
  });
  const order = (row: Row): Row => ({
    ...row,
    items: all("SELECT * FROM items WHERE orderId = ? ORDER BY position", String(row["id"])),
    customer: one("SELECT * FROM customers WHERE id = ?", String(row["customerId"])),
  });

  const placeOrder = ({ body, subject }: ShopRequest): ShopAnswer => {
    const input = NewOrder.safeParse(body);
    if (!input.success) return refused(400, "That is not an order.");
    if (subject === undefined || one("SELECT id FROM customers WHERE id = ?", subject) === undefined)
      return refused(403, "Only a customer can place an order.");
    const { items, reference } = input.data;
    return transaction(database, () => {
      const earlier = reference === undefined ? undefined : orderByReference(subject, reference);
      if (earlier !== undefined)
        return sameItems(earlier, items)
          ? { status: 200, body: earlier }
          : refused(409, "This reference belongs to a different order.");
      const lines = items.map(({ product: id, quantity }) => ({
        product: id,
        quantity,
        row: one("SELECT * FROM products WHERE id = ? AND available = 1", id),
      }));
      if (lines.some(({ row }) => row === undefined)) return refused(422, "One of these is not for sale.");
      return { status: 201, body: insertOrder(subject, lines as OrderLine[], reference) };
    });
  };

  interface OrderLine {
    product: string;
    quantity: number;
    row: Row;
  }

  const orderByReference = (customer: string, reference: string): Row | undefined => {
    const row = one("SELECT * FROM orders WHERE customerId = ? AND reference = ?", customer, reference);
    return row === undefined ? undefined : order(row);
  };

  const insertOrder = (customer: string, lines: readonly OrderLine[], reference?: string): Row => {
    const id = randomUUID();
    const sum = (column: string): number =>
      lines.reduce((total, { row, quantity }) => total + Number(row[column]) * quantity, 0);
    database
      .prepare(
        `INSERT INTO orders (id, customerId, placedAt, status, currency, totalCents, marginCents, internalNote, reference)
         VALUES (?, ?, ?, 'placed', ?, ?, ?, 'Placed on the site', ?)`,
      )
      .run(
        id,
        customer,
        new Date().toISOString(),
        String(lines[0]?.row["currency"]),
        sum("priceCents"),
        sum("priceCents") - sum("costCents"),
        reference ?? null,
      );
    const insertItem = database.prepare("INSERT INTO items VALUES (?, ?, ?, ?, ?, ?)");
    for (const [position, { row, product, quantity }] of lines.entries())
      insertItem.run(id, position, product, quantity, Number(row["priceCents"]), Number(row["costCents"]));
    return order(one("SELECT * FROM orders WHERE id = ?", id) ?? {});
  };

  const keepMessage = ({ body }: ShopRequest): ShopAnswer => {
    const input = Message.safeParse(body);
    if (!input.success) return refused(400, "That is not a message.");
    const { name, email, message } = input.data;
    const id = randomUUID();
    const receivedAt = new Date().toISOString();
    database.prepare("INSERT INTO messages VALUES (?, ?, ?, ?, ?)").run(id, receivedAt, name, email, message);
    return { status: 201, body: { id, receivedAt } };
  };

  return [
    {
      method: "GET",
      path: "/api/products",
      answer: () => ({
        status: 200,
        body: { products: all("SELECT * FROM products WHERE retired = 0 ORDER BY rowid").map(product) },
      }),
    },
    {
      method: "GET",
      path: "/api/products/:id",
      answer: ({ params }) => {
        const row = one("SELECT * FROM products WHERE id = ?", params["id"] ?? "");
        return row === undefined ? notFound : { status: 200, body: product(row) };
      },
    },
    {
      method: "GET",
      path: "/api/users/:user/orders",
      answer: ({ params }) => {
        const rows = all(
          "SELECT * FROM orders WHERE customerId = ? ORDER BY placedAt DESC LIMIT 100",
          params["user"] ?? "",
        );
        return { status: 200, body: { orders: rows.map(order) } };
      },
    },
    {
      method: "GET",
      path: "/api/orders/:id",
      answer: ({ params }) => {
        const row = one("SELECT * FROM orders WHERE id = ?", params["id"] ?? "");
        return row === undefined ? notFound : { status: 200, body: order(row) };
      },
    },
    { method: "POST", path: "/api/orders", answer: placeOrder },
    { method: "POST", path: "/api/contact", answer: keepMessage },
    {
      method: "GET",
      path: "/api/staff/orders",
      answer: ({ query }) => {
        const status = query.get("status");
        const rows =
          status === null
            ? all("SELECT * FROM orders ORDER BY placedAt DESC LIMIT 100")
            : all("SELECT * FROM orders WHERE status = ? ORDER BY placedAt DESC LIMIT 100", status);
        return { status: 200, body: { orders: rows.map(order) } };
      },
    },
  ];
}

function nutritionOf(row: Row): unknown {
  const text = String(row["nutrition"]);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`Nutrition of ${String(row["id"])} cannot be read: ${text}`, { cause });
  }
}

function sameItems(earlier: Row, items: z.infer<typeof Items>): boolean {
  const shape = (list: readonly Row[]): string =>
    JSON.stringify(list.map(({ product, quantity }) => [product, quantity]));
  return shape(earlier["items"] as Row[]) === shape(items);
}
