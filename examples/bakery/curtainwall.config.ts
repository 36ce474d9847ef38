import {
  defineStack,
  download,
  eventStream,
  everyone,
  owner,
  ownerField,
  ownerLookup,
  role,
  signedIn,
  upstream,
} from "curtainwall";
import { z } from "zod";
import { collections } from "./collections.ts";
import { apiAudience, caFile, readAddresses } from "./settings.ts";

const { origin, shopUrl, loginUrl } = readAddresses();

const Slug = z.string().regex(/^[a-z0-9-]{1,40}$/);
const Cents = z.int().min(0).max(10_000_000);
const Currency = z.enum(["GBP", "EUR"]);
const Status = z.enum(["placed", "baking", "ready", "collected"]);

const Product = z.object({
  id: Slug,
  name: z.string().max(80),
  priceCents: Cents,
  currency: Currency,
  available: z.boolean(),
  nutrition: z.object({ energyKcal: z.int().min(0).max(2000) }),
});

const Order = z.object({
  id: z.uuid(),
  customerId: z.uuid(),
  placedAt: z.iso.datetime(),
  status: Status,
  currency: Currency,
  totalCents: Cents,
  items: z
    .array(z.object({ product: Slug, quantity: z.int().min(1).max(50), unitPriceCents: Cents }))
    .max(20),
});

const Batch = z.object({
  id: Slug,
  name: z.string().max(80),
  loaves: z.int().min(1).max(200),
  bakedAt: z.iso.datetime(),
});

/** What is not announced yet is not there, but for those behind the counter. */
const announced = { field: "announced", is: [true], unless: role("staff") };

const Orders = z.object({ orders: z.array(Order).max(100) });

const NewOrder = z.object({
  items: z
    .array(z.object({ product: Slug, quantity: z.int().min(1).max(50) }))
    .min(1)
    .max(20),
  /** Chosen by the customer's browser: an order that is sent twice with one reference is placed once. */
  reference: z.uuid().optional(),
});

const Message = z.object({
  name: z
    .string()
    .min(1)
    .max(80)
    .regex(/^[^\p{Cc}]*$/u),
  email: z.email().max(254),
  message: z.string().min(10).max(4000),
});

export default defineStack({
  origin,
  site: {
    content: "content",
    templates: "templates",
    assets: "public",
    collections,
    lists: { news: { size: 6, by: "date", order: "descending" } },
    tags: { news: { size: 12, by: "date", order: "descending" } },
    feeds: ["news"],
  },
  // Issuer and gateway share this machine's clock, so a token that has expired has expired.
  identity: { issuer: loginUrl, audience: apiAudience, clockToleranceSeconds: 0, caFile },
  upstreams: { shop: upstream({ url: shopUrl, timeoutMs: 3000, maxResponseBytes: 262_144, caFile }) },
  routes: {
    "GET /api/products": {
      summary: "What we bake, and what it costs",
      access: everyone,
      limit: "120/min per client",
      visible: { ...announced, in: "products" },
      response: z.object({ products: z.array(Product).max(200) }),
      to: "shop",
    },
    "GET /api/products/:id": {
      summary: "One product",
      access: everyone,
      limit: "240/min per client",
      params: { id: Slug },
      visible: announced,
      response: Product,
      etag: true,
      to: "shop",
    },
    "GET /api/oven": {
      summary: "What leaves the oven, as it does",
      access: everyone,
      limit: "60/min per client",
      response: eventStream({ batch: Batch }),
      to: "shop",
    },
    "GET /api/users/:user/orders": {
      summary: "A customer's own orders, newest first",
      access: owner("user"),
      limit: ["240/min per client", "120/min per user"],
      params: { user: z.uuid() },
      response: Orders,
      to: "shop",
    },
    "GET /api/orders/:id": {
      summary: "One order, for the customer whose it is",
      access: ownerField("customerId"),
      limit: ["240/min per client", "120/min per user"],
      params: { id: z.uuid() },
      response: Order,
      to: "shop",
    },
    "GET /api/orders/:id/receipt": {
      summary: "The receipt of an order, to keep",
      // A file names no owner: the order is asked for first.
      access: ownerLookup({ get: "/api/orders/:id", field: "customerId" }),
      limit: ["240/min per client", "120/min per user"],
      params: { id: z.uuid() },
      response: download({ types: ["text/plain"], maxBytes: 65_536, fileName: "receipt.txt" }),
      to: "shop",
    },
    "POST /api/orders": {
      summary: "Place an order for whoever is signed in",
      access: signedIn,
      limit: ["120/min per client", "60/min per user"],
      body: NewOrder,
      maxBodyBytes: 8192,
      response: Order,
      errors: { 422: z.object({ error: z.string().max(80) }) },
      to: "shop",
    },
    "POST /api/contact": {
      summary: "Write to us",
      access: everyone,
      limit: "5/min per client",
      body: Message,
      maxBodyBytes: 20_480,
      response: z.object({ id: z.uuid(), receivedAt: z.iso.datetime() }),
      to: "shop",
    },
    "POST /api/vouchers": {
      summary: "Redeem a voucher",
      access: everyone,
      limit: "60/min per client",
      // A code can be guessed: five wrong ones, then one more every three minutes.
      failures: "5/15min per client",
      body: z.object({
        code: z
          .string()
          .min(4)
          .max(20)
          .regex(/^[A-Z-]+$/),
      }),
      maxBodyBytes: 1024,
      response: z.object({ code: z.string().max(20), percentOff: z.int().min(1).max(100) }),
      to: "shop",
    },
    "GET /api/staff/orders": {
      summary: "All orders, for those behind the counter",
      access: role("staff"),
      limit: ["240/min per client", "120/min per user"],
      query: { status: Status.optional() },
      response: Orders,
      to: "shop",
    },
  },
});
