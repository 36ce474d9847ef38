import { alice, bob, marta, people } from "../people.ts";
import type { Person } from "../people.ts";

/** A product as the site knows it; the rest of its row is invented here. */
export interface SeedProduct {
  readonly id: string;
  readonly name: string;
  readonly priceCents: number;
}

/** A product of former years. Its row came out of the till broken, and the shop fails on it. */
export const brokenProduct = "harvest-plait";

/** Comes at Christmas, and is nobody's business before. The shop has it already, and shows it to whoever asks. */
export const comingProduct = { id: "midwinter-stollen", name: "Midwinter stollen" } as const;

/** What customers get with their hundredth loaf. */
export const voucherCode = "HUNDREDTH-LOAF";

/** A row of each table, in the order in which they can be inserted. */
export interface Seed {
  readonly products: readonly Record<string, string | number>[];
  readonly customers: readonly Record<string, string | number>[];
  readonly orders: readonly Record<string, string | number>[];
  readonly items: readonly Record<string, string | number>[];
  readonly vouchers: readonly Record<string, string | number>[];
  readonly standingOrders: readonly Record<string, string | number>[];
}

/**
 * Marks planted in columns that must never leave the shop. The audit looks for them in every answer: one that turns up
 * is a leak.
 */
export const canaries = {
  supplierNote: "canary-supplier-5c1f0e",
  laboratory: "canary-laboratory-e62d94",
  brokenRow: "canary-exception-3b90a7",
  customerNote: "canary-customer-a83b27",
  passwordHash: "canary-password-d94e61",
  orderNote: "canary-order-07f2bc",
  voucherNote: "canary-voucher-b1684c",
  kitchenNote: "canary-kitchen-49d7a0",
} as const;

/** An order of each. */
export const orderOf = {
  alice: "d2b1a6f0-54c3-4e19-8b7d-1f60a9c3e852",
  bob: "6e83c7b5-90da-4127-b3f6-2a4d58e1c09f",
  marta: "f05b92d7-4e1c-4a83-9d26-71c8ae40b35d",
} as const;

interface SeedOrder {
  id: string;
  customer: Person;
  placedAt: string;
  status: string;
  /** Which product of the list, and how many. */
  lines: readonly (readonly [product: number, quantity: number])[];
}

const orders: readonly SeedOrder[] = [
  {
    id: orderOf.alice,
    customer: alice,
    placedAt: "2026-11-02T06:41:00.000Z",
    status: "collected",
    lines: [
      [0, 1],
      [1, 2],
    ],
  },
  {
    id: "1a7f34de-2b90-4c85-9e61-cd0538b72f4a",
    customer: alice,
    placedAt: "2026-11-16T17:05:00.000Z",
    status: "baking",
    lines: [[2, 3]],
  },
  {
    id: orderOf.bob,
    customer: bob,
    placedAt: "2026-11-09T08:20:00.000Z",
    status: "collected",
    lines: [
      [1, 1],
      [3, 6],
    ],
  },
  {
    id: orderOf.marta,
    customer: marta,
    placedAt: "2026-11-14T07:30:00.000Z",
    status: "ready",
    lines: [[4, 4]],
  },
];

/** What is brought to a kitchen each morning: which product of the list, and how many. */
const standingOrders: Readonly<Record<string, readonly (readonly [product: number, loaves: number])[]>> = {
  "lock-cafe": [
    [0, 6],
    [4, 12],
  ],
  "ottersby-school": [
    [0, 20],
    [2, 10],
  ],
};

/** What the shop's database holds at first: always the same, made from the site's list of products. */
export function seed(products: readonly SeedProduct[], currency: string): Seed {
  const productAt = (index: number): SeedProduct => {
    const product = products[index % products.length];
    if (product === undefined) throw new Error("The shop needs at least one product to sell.");
    return product;
  };
  return {
    products: [
      ...products.map(({ id, name, priceCents }, index) => ({
        id,
        name,
        priceCents,
        currency,
        available: 1,
        retired: 0,
        announced: 1,
        nutrition: JSON.stringify({
          energyKcal: 228 + 7 * index,
          laboratory: `sheet ${canaries.laboratory}`,
        }),
        costCents: costOf(priceCents),
        supplierNote: `Mill contract ${2024 + (index % 3)}, not to be published (${canaries.supplierNote})`,
      })),
      {
        id: brokenProduct,
        name: "Harvest plait",
        priceCents: 680,
        currency,
        available: 0,
        retired: 1,
        announced: 1,
        nutrition: `energyKcal;261;${canaries.brokenRow}`,
        costCents: costOf(680),
        supplierNote: "None any more",
      },
      {
        ...comingProduct,
        priceCents: 1450,
        currency,
        available: 0,
        retired: 0,
        announced: 0,
        nutrition: JSON.stringify({ energyKcal: 391 }),
        costCents: costOf(1450),
        supplierNote: "Candied peel is ordered",
      },
    ],
    vouchers: [
      {
        code: voucherCode,
        percentOff: 10,
        internalNote: `Never together with others (${canaries.voucherNote})`,
      },
    ],
    standingOrders: Object.entries(standingOrders).flatMap(([kitchen, lines]) =>
      lines.map(([index, loaves], position) => ({
        kitchen,
        position,
        product: productAt(index).id,
        loaves,
        internalNote: `Pays late (${canaries.kitchenNote})`,
      })),
    ),
    customers: people.map(({ id, name, email }) => ({
      id,
      name,
      email,
      legacyPasswordHash: `$1$${canaries.passwordHash}`,
      internalNote: `Prefers to be called before noon (${canaries.customerNote})`,
    })),
    orders: orders.map(({ id, customer, placedAt, status, lines }) => ({
      id,
      customerId: customer.id,
      placedAt,
      status,
      currency,
      totalCents: lines.reduce((sum, [index, quantity]) => sum + productAt(index).priceCents * quantity, 0),
      marginCents: lines.reduce((sum, [index, quantity]) => sum + marginOf(productAt(index)) * quantity, 0),
      internalNote: `Paid in cash (${canaries.orderNote})`,
    })),
    items: orders.flatMap(({ id, lines }) =>
      lines.map(([index, quantity], position) => ({
        orderId: id,
        position,
        product: productAt(index).id,
        quantity,
        unitPriceCents: productAt(index).priceCents,
        unitCostCents: costOf(productAt(index).priceCents),
      })),
    ),
  };
}

const costOf = (priceCents: number): number => Math.round(priceCents * 0.38);
const marginOf = ({ priceCents }: SeedProduct): number => priceCents - costOf(priceCents);
