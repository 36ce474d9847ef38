import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { transaction } from "./database.ts";

/** A row as it stands in the database, or what was made of it: all its columns, whatever they are. */
export type Row = Record<string, unknown>;

/** A line of an order that somebody wants to place. */
export interface WantedItem {
  readonly product: string;
  readonly quantity: number;
}

/** What became of an order that somebody wanted to place. */
export type Placement =
  | { readonly kind: "placed" | "known"; readonly order: Row }
  | { readonly kind: "conflict" | "not-for-sale" };

/** An order that somebody wants to place. */
export interface WantedOrder {
  readonly items: readonly WantedItem[];
  /** By which its sender knows it again. */
  readonly reference?: string | undefined;
  /** What its customer has to say of it. */
  readonly note?: string | undefined;
}

/** What became of an order that somebody wanted to change, or to cancel: as it is now, or as it was. */
export type Change =
  | { readonly kind: "changed"; readonly order: Row }
  | { readonly kind: "none" | "too-late" };

/** The shop's data. */
export interface ShopStore {
  products(): Row[];
  product(id: string): Row | undefined;
  order(id: string): Row | undefined;
  /** At most 100, the newest first. */
  ordersOf(customer: string): Row[];
  /** At most 100, the newest first; of one status if one is given. */
  orders(status: string | null): Row[];
  /** What leaves the oven in a batch, the whole row of it. */
  batch(number: number): Row;
  isCustomer(id: string): boolean;
  /** A customer, with how many loaves they have had: the whole row of them. */
  card(customer: string): Row | undefined;
  /** What is brought to a kitchen each morning. */
  standingOrder(kitchen: string): Row[];
  /** Places an order whole or not at all; one that carries a reference only once. */
  placeOrder(customer: string, order: WantedOrder): Placement;
  /** Writes another note on an order, while nobody has begun to bake it. */
  noteOnOrder(id: string, note: string): Change;
  /** Takes an order back, while nobody has begun to bake it or paid for it: it is there no more. */
  cancelOrder(id: string): Change;
  /** Notes that an order was paid, once however often it is told; false when there is no such order. */
  pay(order: string): boolean;
  /** Notes that a voucher was used; undefined when there is none with this code. */
  redeem(code: string): Row | undefined;
}

interface Line extends WantedItem {
  readonly row: Row;
}

/** Reads and writes the shop's data. It is what such code often is: `SELECT *`, and the rows as they are. */
export function createShopStore(database: DatabaseSync): ShopStore {
  const all = (sql: string, ...values: string[]): Row[] => database.prepare(sql).all(...values);
  const one = (sql: string, ...values: string[]): Row | undefined => database.prepare(sql).get(...values);

  const withItems = (row: Row): Row => ({
    ...row,
    items: all("SELECT * FROM items WHERE orderId = ? ORDER BY position", String(row["id"])),
    customer: one("SELECT * FROM customers WHERE id = ?", String(row["customerId"])),
    paid: one("SELECT 1 FROM payments WHERE orderId = ?", String(row["id"])) !== undefined,
  });

  const order = (id: string): Row | undefined => {
    const row = one("SELECT * FROM orders WHERE id = ?", id);
    return row && withItems(row);
  };

  const earlierOrder = (customer: string, reference: string | undefined): Row | undefined => {
    if (reference === undefined) return undefined;
    const row = one("SELECT * FROM orders WHERE customerId = ? AND reference = ?", customer, reference);
    return row && withItems(row);
  };

  const linesOf = (items: readonly WantedItem[]): Line[] =>
    items.flatMap(({ product, quantity }) => {
      const row = one("SELECT * FROM products WHERE id = ? AND available = 1", product);
      return row === undefined ? [] : [{ product, quantity, row }];
    });

  const insertOrder = (
    customer: string,
    lines: readonly Line[],
    { reference, note }: WantedOrder,
  ): string => {
    const id = randomUUID();
    const totalCents = sum(lines, "priceCents");
    database
      .prepare(
        `INSERT INTO orders (id, customerId, placedAt, status, currency, totalCents, marginCents, internalNote, reference, note)
         VALUES (?, ?, ?, 'placed', ?, ?, ?, 'Placed on the site', ?, ?)`,
      )
      .run(
        id,
        customer,
        new Date().toISOString(),
        String(lines[0]?.row["currency"]),
        totalCents,
        totalCents - sum(lines, "costCents"),
        reference ?? null,
        note ?? "",
      );
    const item = database.prepare("INSERT INTO items VALUES (?, ?, ?, ?, ?, ?)");
    for (const [position, { product, quantity, row }] of lines.entries())
      item.run(id, position, product, quantity, Number(row["priceCents"]), Number(row["costCents"]));
    return id;
  };

  const change = (id: string, apply: (found: Row) => boolean): Change =>
    transaction(database, () => {
      const found = order(id);
      if (found === undefined) return { kind: "none" };
      return apply(found) ? { kind: "changed", order: order(id) ?? found } : { kind: "too-late" };
    });

  return {
    products: () => all("SELECT * FROM products WHERE retired = 0 ORDER BY rowid").map(readable),
    product: (id) => {
      const row = one("SELECT * FROM products WHERE id = ?", id);
      return row && readable(row);
    },
    order,
    ordersOf: (customer) =>
      all("SELECT * FROM orders WHERE customerId = ? ORDER BY placedAt DESC LIMIT 100", customer).map(
        withItems,
      ),
    orders: (status) =>
      (status === null
        ? all("SELECT * FROM orders ORDER BY placedAt DESC LIMIT 100")
        : all("SELECT * FROM orders WHERE status = ? ORDER BY placedAt DESC LIMIT 100", status)
      ).map(withItems),
    batch: (number) => {
      const baked = all("SELECT * FROM products WHERE announced = 1 AND available = 1 ORDER BY rowid");
      return { ...baked[number % baked.length], loaves: 12, bakedAt: new Date().toISOString() };
    },
    isCustomer: (id) => one("SELECT id FROM customers WHERE id = ?", id) !== undefined,
    card: (customer) =>
      one(
        `SELECT *, (SELECT coalesce(sum(quantity), 0) FROM items WHERE orderId IN
          (SELECT id FROM orders WHERE customerId = customers.id AND status = 'collected')) AS loaves
         FROM customers WHERE id = ?`,
        customer,
      ),
    standingOrder: (kitchen) =>
      all("SELECT * FROM standingOrders WHERE kitchen = ? ORDER BY position", kitchen),
    placeOrder: (customer, wanted) =>
      transaction(database, (): Placement => {
        const { items, reference } = wanted;
        const earlier = earlierOrder(customer, reference);
        if (earlier !== undefined)
          return isOrderOf(earlier, items) ? { kind: "known", order: earlier } : { kind: "conflict" };
        const lines = linesOf(items);
        if (lines.length < items.length) return { kind: "not-for-sale" };
        return { kind: "placed", order: order(insertOrder(customer, lines, wanted)) ?? {} };
      }),
    noteOnOrder: (id, note) =>
      change(id, ({ status }) => {
        if (status !== "placed") return false;
        database.prepare("UPDATE orders SET note = ? WHERE id = ?").run(note, id);
        return true;
      }),
    cancelOrder: (id) =>
      change(id, ({ status, paid }) => {
        if (status !== "placed" || paid === true) return false;
        database.prepare("DELETE FROM items WHERE orderId = ?").run(id);
        database.prepare("DELETE FROM orders WHERE id = ?").run(id);
        return true;
      }),
    pay: (id) => {
      if (one("SELECT id FROM orders WHERE id = ?", id) === undefined) return false;
      database
        .prepare("INSERT INTO payments VALUES (?, ?) ON CONFLICT DO NOTHING")
        .run(id, new Date().toISOString());
      return true;
    },
    redeem: (code) => {
      const voucher = one("SELECT * FROM vouchers WHERE code = ?", code);
      if (voucher === undefined) return undefined;
      database
        .prepare("INSERT INTO redemptions VALUES (?, ?, ?)")
        .run(randomUUID(), code, new Date().toISOString());
      return voucher;
    },
  };
}

const sum = (lines: readonly Line[], column: "priceCents" | "costCents"): number =>
  lines.reduce((total, { row, quantity }) => total + Number(row[column]) * quantity, 0);

const readable = (row: Row): Row => ({
  ...row,
  available: row["available"] === 1,
  announced: row["announced"] === 1,
  nutrition: nutritionOf(row),
});

function nutritionOf(row: Row): unknown {
  const text = String(row["nutrition"]);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`Nutrition of ${String(row["id"])} cannot be read: ${text}`, { cause });
  }
}

function isOrderOf(order: Row, items: readonly WantedItem[]): boolean {
  const shape = (list: readonly Row[]): string =>
    JSON.stringify(list.map(({ product, quantity }) => [product, quantity]));
  return shape(order["items"] as Row[]) === shape(items.map((item) => ({ ...item })));
}
