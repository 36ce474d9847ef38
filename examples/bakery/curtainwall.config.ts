import {
  bearer,
  defineStack,
  download,
  eventStream,
  everyone,
  fn,
  inHeader,
  owner,
  ownerField,
  ownerLookup,
  role,
  secret,
  signedIn,
  standardWebhook,
  tenant,
  upstream,
  webhookSecret,
} from "curtainwall";
import { z } from "zod";
import { collections } from "./collections.ts";
import { apiAudience, caFile, readAddresses } from "./settings.ts";

const { origin, shopUrl, loginUrl, courierUrl, mailUrl } = readAddresses();

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

/** What a customer has to say of an order. */
const Note = z
  .string()
  .max(200)
  .regex(/^[^\p{Cc}]*$/u);

const Order = z.object({
  id: z.uuid(),
  customerId: z.uuid(),
  placedAt: z.iso.datetime(),
  status: Status,
  paid: z.boolean(),
  currency: Currency,
  totalCents: Cents,
  note: Note,
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
  note: Note.optional(),
});

/** Why something can't be done, in words for whoever asked. */
const Reason = z.object({ error: z.string().max(80) });

const Message = z.object({
  name: z
    .string()
    .min(1)
    .max(80)
    .regex(/^[^\p{Cc}]*$/u),
  email: z.email().max(254),
  message: z.string().min(10).max(4000),
});

const Postcode = z.string().regex(/^[A-Z0-9 ]{3,8}$/);
/** As it stands in a query: a text. */
const Grams = z.coerce.number().int().min(1).max(20_000);

/** What the till sends. It may come to say more, which we don't read. */
const PaymentEvent = z.object({
  type: z.literal("payment.succeeded"),
  timestamp: z.iso.datetime(),
  data: z.object({ order: z.uuid(), amountCents: Cents, currency: Currency }),
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
  identity: {
    issuer: loginUrl,
    audience: apiAudience,
    tenantClaim: "kitchen",
    clockToleranceSeconds: 0,
    caFile,
  },
  upstreams: { shop: upstream({ url: shopUrl, timeoutMs: 3000, maxResponseBytes: 262_144, caFile }) },
  functions: {
    quotes: { settings: { courier: courierUrl }, timeoutMs: 5000 },
    contact: { settings: { mail: mailUrl }, timeoutMs: 5000 },
    payment: { settings: { shop: shopUrl }, timeoutMs: 5000 },
  },
  secrets: {
    DELIVERY_KEY: secret({
      use: { request: `GET ${courierUrl}/v1/quotes`, query: { postcode: Postcode, grams: Grams } },
      by: fn("quotes"),
      inject: bearer(),
      rotateEveryDays: 90,
    }),
    MAIL_KEY: secret({
      use: {
        request: `POST ${mailUrl}/v1/messages`,
        // Whoever takes the function over can write to us, and to nobody else.
        body: z.object({
          from: z.literal("site@bakery.example"),
          to: z.literal("counter@bakery.example"),
          replyTo: z.email().max(254),
          subject: z.string().max(120),
          text: z.string().max(4000),
        }),
      },
      by: fn("contact"),
      inject: inHeader("X-Api-Key"),
      rotateEveryDays: 90,
    }),
    SHOP_KEY: secret({
      use: { request: `POST ${shopUrl}/payments`, body: z.object({ order: z.uuid() }) },
      by: fn("payment"),
      inject: inHeader("X-Shop-Key"),
      rotateEveryDays: 30,
    }),
    TILL_KEY: webhookSecret({ rotateEveryDays: 365 }),
  },
  egress: {
    origins: {
      [courierUrl]: { caFile, timeoutMs: 3000, rate: "600/min" },
      [mailUrl]: { caFile, timeoutMs: 3000, rate: "60/min" },
      [shopUrl]: { caFile, timeoutMs: 3000 },
    },
  },
  routes: {
    "GET /api/delivery": {
      summary: "What it costs to have bread brought",
      access: everyone,
      limit: "60/min per client",
      query: { postcode: Postcode, grams: Grams },
      response: z.object({ priceCents: Cents, currency: Currency, days: z.int().min(0).max(60) }),
      errors: { 422: Reason },
      to: fn("quotes"),
    },
    "POST /api/payments": {
      summary: "Where the till tells of payments",
      access: everyone,
      limit: "120/min per client",
      webhook: standardWebhook("TILL_KEY"),
      body: PaymentEvent,
      maxBodyBytes: 8192,
      response: z.object({ noted: z.boolean() }),
      to: fn("payment"),
    },
    "GET /api/products": {
      summary: "What we bake, and what it costs",
      access: everyone,
      limit: "120/min per client",
      visible: { ...announced, in: "products" },
      // Everybody looks at it, and it seldom changes.
      cache: { seconds: 5 },
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
      errors: { 422: Reason },
      to: "shop",
    },
    "PATCH /api/orders/:id": {
      summary: "Write another note on an order, while nobody has begun with it",
      // What a write answers comes too late to say who may write.
      access: ownerLookup({ get: "/api/orders/:id", field: "customerId" }),
      limit: ["120/min per client", "60/min per user"],
      params: { id: z.uuid() },
      body: z.object({ note: Note }),
      maxBodyBytes: 2048,
      response: Order,
      errors: { 409: Reason },
      to: "shop",
    },
    "DELETE /api/orders/:id": {
      summary: "Cancel an order, while nobody has begun with it; answers what it was",
      access: ownerLookup({ get: "/api/orders/:id", field: "customerId" }),
      limit: ["120/min per client", "60/min per user"],
      params: { id: z.uuid() },
      response: Order,
      errors: { 409: Reason },
      to: "shop",
    },
    "POST /api/contact": {
      summary: "Write to us",
      access: everyone,
      limit: "5/min per client",
      body: Message,
      maxBodyBytes: 20_480,
      response: z.object({ id: z.uuid(), receivedAt: z.iso.datetime() }),
      to: fn("contact"),
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
    "GET /api/card": {
      summary: "How many loaves whoever is signed in has had, of the hundred that make a voucher",
      access: signedIn,
      limit: ["240/min per client", "120/min per user"],
      // One address for everybody, and for each customer an answer of its own.
      cache: { seconds: 5 },
      response: z.object({ id: z.uuid(), name: z.string().max(80), loaves: z.int().min(0) }),
      to: "shop",
    },
    "GET /api/kitchens/:kitchen/standing-order": {
      summary: "What is brought to a kitchen each morning, for those who order for it",
      access: tenant("kitchen"),
      limit: ["240/min per client", "120/min per user"],
      params: { kitchen: Slug },
      response: z.object({
        kitchen: Slug,
        lines: z.array(z.object({ product: Slug, loaves: z.int().min(1).max(500) })).max(50),
      }),
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
