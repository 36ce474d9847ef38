import { hash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { seed } from "./seed.ts";
import type { Seed, SeedProduct } from "./seed.ts";

/** 2: knows which seed it was made from. 3: products that are not announced yet, and vouchers. 4: payments. 5: notes on orders. 6: standing orders. */
const schemaVersion = 6;

const payments = `
  CREATE TABLE payments (orderId TEXT PRIMARY KEY REFERENCES orders (id), paidAt TEXT NOT NULL) STRICT;
`;

const standingOrders = `
  CREATE TABLE standingOrders (
    kitchen TEXT NOT NULL,
    position INTEGER NOT NULL,
    product TEXT NOT NULL REFERENCES products (id),
    loaves INTEGER NOT NULL CHECK (loaves > 0),
    internalNote TEXT NOT NULL,
    PRIMARY KEY (kitchen, position)
  ) STRICT;
`;

const vouchers = `
  CREATE TABLE vouchers (code TEXT PRIMARY KEY, percentOff INTEGER NOT NULL, internalNote TEXT NOT NULL) STRICT;
  CREATE TABLE redemptions (id TEXT PRIMARY KEY, code TEXT NOT NULL REFERENCES vouchers (code), redeemedAt TEXT NOT NULL) STRICT;
`;

const schema = `
  CREATE TABLE seeds (digest TEXT PRIMARY KEY) STRICT;
  CREATE TABLE products (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    priceCents INTEGER NOT NULL CHECK (priceCents > 0),
    currency TEXT NOT NULL,
    available INTEGER NOT NULL CHECK (available IN (0, 1)),
    retired INTEGER NOT NULL CHECK (retired IN (0, 1)),
    announced INTEGER NOT NULL DEFAULT 1 CHECK (announced IN (0, 1)),
    nutrition TEXT NOT NULL,
    costCents INTEGER NOT NULL,
    supplierNote TEXT NOT NULL
  ) STRICT;
  CREATE TABLE customers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    legacyPasswordHash TEXT NOT NULL,
    internalNote TEXT NOT NULL
  ) STRICT;
  CREATE TABLE orders (
    id TEXT PRIMARY KEY,
    customerId TEXT NOT NULL REFERENCES customers (id),
    placedAt TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('placed', 'baking', 'ready', 'collected')),
    currency TEXT NOT NULL,
    totalCents INTEGER NOT NULL,
    marginCents INTEGER NOT NULL,
    internalNote TEXT NOT NULL,
    reference TEXT,
    note TEXT NOT NULL DEFAULT '',
    UNIQUE (customerId, reference)
  ) STRICT;
  CREATE INDEX ordersByCustomer ON orders (customerId, placedAt);
  CREATE TABLE items (
    orderId TEXT NOT NULL REFERENCES orders (id),
    position INTEGER NOT NULL,
    product TEXT NOT NULL REFERENCES products (id),
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    unitPriceCents INTEGER NOT NULL,
    unitCostCents INTEGER NOT NULL,
    PRIMARY KEY (orderId, position)
  ) STRICT;
  ${vouchers}
  ${payments}
  ${standingOrders}
`;

/** Options of {@link openShopDatabase}. */
export interface ShopDatabaseOptions {
  /** Path of the SQLite file; it and its folder are created when missing. */
  file: string;
  /** What the shop sells. When it changes, the products of an existing database change with it; orders stay. */
  products: readonly SeedProduct[];
  /** What its prices are in. */
  currency: string;
}

/**
 * Opens the shop's database. A new one gets its tables and its seed in one transaction, so that a start that is killed
 * leaves either nothing or all of it.
 *
 * @throws {Error} when the file is not a sound database of this shop.
 */
export function openShopDatabase({ file, products, currency }: ShopDatabaseOptions): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(file, { timeout: 5000 });
  try {
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
    transaction(database, () => {
      const rows = seed(products, currency);
      const version = versionOf(database);
      if (version === 0) create(database, rows);
      else if (isOlder(version)) upgrade(database, rows, version);
      else if (version === schemaVersion) refresh(database, rows);
      else throw new Error(`its schema has version ${String(version)}`);
    });
    return database;
  } catch (cause) {
    database.close();
    throw new Error(
      `${file} cannot be used as the shop's database. Move it away: the next start makes a new one.`,
      {
        cause,
      },
    );
  }
}

/** Runs statements that count together or not at all. */
export function transaction<T>(database: DatabaseSync, statements: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = statements();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}

const versionOf = (database: DatabaseSync): unknown =>
  database.prepare("PRAGMA user_version").get()?.["user_version"];

/** Versions of which somebody may still have a database. */
const older = [1, 2, 3, 4, 5] as const;
const isOlder = (version: unknown): version is (typeof older)[number] =>
  older.some((known) => known === version);

function create(database: DatabaseSync, rows: Seed): void {
  database.exec(schema);
  insertAll(database, "products", rows.products);
  insertAll(database, "customers", rows.customers);
  insertAll(database, "orders", rows.orders);
  insertAll(database, "items", rows.items);
  insertAll(database, "vouchers", rows.vouchers);
  insertAll(database, "standingOrders", rows.standingOrders);
  remember(database, rows);
  database.exec(`PRAGMA user_version = ${schemaVersion}`);
}

/** A database of an older version of this example. */
function upgrade(database: DatabaseSync, rows: Seed, version: (typeof older)[number]): void {
  if (version === 1) database.exec("CREATE TABLE seeds (digest TEXT PRIMARY KEY) STRICT");
  if (version < 3) {
    database.exec(
      "ALTER TABLE products ADD COLUMN announced INTEGER NOT NULL DEFAULT 1 CHECK (announced IN (0, 1))",
    );
    database.exec(vouchers);
    insertAll(database, "vouchers", rows.vouchers);
  }
  if (version < 4) database.exec(payments);
  if (version < 5) database.exec("ALTER TABLE orders ADD COLUMN note TEXT NOT NULL DEFAULT ''");
  refresh(database, rows);
  database.exec(standingOrders);
  insertAll(database, "standingOrders", rows.standingOrders);
  database.exec(`PRAGMA user_version = ${schemaVersion}`);
}

/** Takes over the products of another seed than the one before: their prices too, which the pages show. Those that are gone are no longer sold. */
function refresh(database: DatabaseSync, rows: Seed): void {
  if (database.prepare("SELECT 1 FROM seeds WHERE digest = ?").get(digestOf(rows)) !== undefined) return;
  database.exec("UPDATE products SET available = 0, retired = 1");
  for (const { id, ...columns } of rows.products) {
    const names = Object.keys(columns);
    database
      .prepare(
        `INSERT INTO products (id, ${names.join(", ")}) VALUES (?${", ?".repeat(names.length)})
         ON CONFLICT (id) DO UPDATE SET ${names.map((name) => `${name} = excluded.${name}`).join(", ")}`,
      )
      .run(id ?? null, ...Object.values(columns));
  }
  remember(database, rows);
}

function remember(database: DatabaseSync, rows: Seed): void {
  database.exec("DELETE FROM seeds");
  database.prepare("INSERT INTO seeds (digest) VALUES (?)").run(digestOf(rows));
}

const digestOf = ({ products }: Seed): string => hash("sha256", JSON.stringify(products));

function insertAll(database: DatabaseSync, table: keyof Seed, rows: Seed[keyof Seed]): void {
  for (const row of rows) {
    const columns = Object.keys(row);
    const statement = `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`;
    database.prepare(statement).run(...Object.values(row));
  }
}
