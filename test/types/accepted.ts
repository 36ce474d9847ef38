// Contracts that must type-check: every honest form that `refused.ts` has a broken one of.
import {
  bearer,
  connectionSecret,
  defineStack,
  everyone,
  fn,
  inHeader,
  none,
  owner,
  ownerField,
  parseContract,
  role,
  route,
  secret,
  signedIn,
  stripe,
  upstream,
  webhookSecret,
} from "curtainwall";
import type { Contract, RouteOptions, Stack } from "curtainwall";
import { z } from "zod";

const Product = z.object({ name: z.string(), priceCents: z.int() });

const oneRoute = route("GET /api/staff/orders", {
  access: role("staff"),
  limit: ["60/min per user, burst 10", "9/s per client"],
  response: z.array(Product),
  to: "shop",
});

export const stack: Stack = defineStack({
  origin: "https://www.bakery.example",
  site: {
    content: "content",
    templates: "templates",
    collections: { pages: z.object({ title: z.string() }) },
  },
  identity: { issuer: "https://login.bakery.example/", audience: "https://api.bakery.example" },
  upstreams: {
    shop: upstream({ url: "https://shop.internal", timeoutMs: 2000 }),
    mail: upstream({ url: "http://127.0.0.1:2500", insecureAllowHttp: "listens on loopback only" }),
  },
  cors: { origins: ["https://app.bakery.example"] },
  edge: { port: 8443, redirectPort: false, threads: 2 },
  routes: {
    "GET /api/products": {
      access: everyone,
      limit: "120/min per client",
      response: z.array(Product),
      to: "shop",
    },
    "GET /api/users/:user/orders/:order": {
      access: owner("user"),
      limit: "60/min per user",
      params: { user: z.uuid(), order: z.uuid() },
      query: { full: z.stringbool().optional() },
      response: Product,
      to: "shop",
    },
    "GET /api/orders/:id": {
      access: ownerField("customerId"),
      limit: "60/min per user",
      params: { id: z.uuid() },
      response: z.object({ customerId: z.uuid() }),
      to: "shop",
    },
    "POST /api/orders": {
      access: signedIn,
      limit: "9/min per user",
      body: z.object({ product: z.string() }),
      maxBodyBytes: 1000,
      response: none,
      to: "shop",
    },
    "DELETE /api/orders/:id": {
      access: signedIn,
      limit: "9/min per user",
      params: { id: z.uuid() },
      response: none,
      to: "shop",
    },
    "POST /api/contact": {
      access: everyone,
      limit: "5/min per client",
      body: z.looseObject({}),
      insecureOpenInput: "the form's fields change with each campaign",
      response: none,
      to: "mail",
    },
    ...oneRoute,
  },
});

export const contract: Contract = parseContract(stack);

export const foreignSite: Stack = defineStack({
  origin: "https://www.bakery.example",
  site: {
    dist: "dist",
    build: "npm run build",
    reaches: ["https://cms.bakery.example"],
    environment: ["SITE_NAME"],
    timeoutMs: 1_200_000,
    insecureUnjailedBuild: "the CI runs in a container of its own",
    insecurePrivateAddresses: "the CMS stands in our network",
  },
});

export const siteAsItLies: Stack = defineStack({
  origin: "https://www.bakery.example",
  site: { dist: "dist" },
});

export const siteOnly: Stack = defineStack({
  origin: "https://www.bakery.example",
  site: { content: "content", templates: "templates", collections: {} },
});

/** What a route's key asks for can be named. */
export type OrderRoute = RouteOptions<"POST /api/orders/:id", "shop">;
export const orderParams: keyof OrderRoute["params"] = "id";

export const withServices = defineStack({
  origin: "https://www.bakery.example",
  functions: { contact: { reaches: "GET https://maps.example/v1/*" }, till: {} },
  upstreams: { weather: upstream({ url: "https://weather.example" }) },
  secrets: {
    MAIL_KEY: secret({
      use: [
        "POST https://mail.example/v1/send",
        { request: "GET https://mail.example/v1/*", query: { to: z.string() } },
      ],
      by: [fn("contact"), fn("till")],
      inject: inHeader("X-Api-Key"),
    }),
    WEATHER_KEY: secret({ use: "GET https://weather.example/**", by: "GET /api/weather", inject: bearer() }),
    PAYMENT_KEY: webhookSecret(),
    STORE_PASSWORD: connectionSecret({ rotateEveryDays: 90 }),
  },
  egress: { origins: { "https://mail.example": { rate: "60/min" } } },
  vault: { key: { credential: "curtainwall-vault" } },
  routes: {
    "GET /api/weather": { access: everyone, limit: "9/min per client", response: none, to: "weather" },
    "POST /webhooks/payments": {
      access: everyone,
      limit: "9/min per client",
      body: z.object({ id: z.string() }),
      response: none,
      to: fn("till"),
      webhook: stripe("PAYMENT_KEY"),
    },
  },
});
export const stacks: readonly Stack[] = [withServices];
