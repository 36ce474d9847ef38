// Contracts that must not type-check. What follows an expectation's colon is what the compiler says there: `types.test.ts`
// removes the expectations, compiles the file and compares.
import {
  bearer,
  defineStack,
  everyone,
  fn,
  none,
  owner,
  route,
  secret,
  stripe,
  upstream,
  webhookSecret,
} from "curtainwall";
import { z } from "zod";

const base = { access: everyone, limit: "9/min per client", response: z.object({}), to: "shop" } as const;
const stack = {
  origin: "https://www.bakery.example",
  upstreams: { shop: upstream({ url: "https://shop.internal" }) },
};

export const withoutAccess = defineStack({
  ...stack,
  routes: {
    // @ts-expect-error: Property 'access' is missing
    "GET /api/products": { limit: "9/min per client", response: z.object({}), to: "shop" },
  },
});

export const withoutLimit = defineStack({
  ...stack,
  routes: {
    // @ts-expect-error: Property 'limit' is missing
    "GET /api/products": { access: everyone, response: z.object({}), to: "shop" },
  },
});

export const withoutResponse = defineStack({
  ...stack,
  routes: {
    // @ts-expect-error: Property 'response' is missing
    "GET /api/products": { access: everyone, limit: "9/min per client", to: "shop" },
  },
});

export const withoutUpstream = defineStack({
  ...stack,
  routes: {
    // @ts-expect-error: Property 'to' is missing
    "GET /api/products": { access: everyone, limit: "9/min per client", response: z.object({}) },
  },
});

export const withoutParams = defineStack({
  ...stack,
  routes: {
    // @ts-expect-error: Property 'params' is missing
    "GET /api/products/:id": { ...base },
  },
});

export const withoutOneParam = defineStack({
  ...stack,
  routes: {
    // @ts-expect-error: Property 'order' is missing
    "GET /api/users/:user/orders/:order": { ...base, params: { user: z.uuid() } },
  },
});

export const withAnotherParam = defineStack({
  ...stack,
  routes: {
    // @ts-expect-error: The path has no such parameter
    "GET /api/products/:id": { ...base, params: { id: z.string(), ids: z.string() } },
  },
});

export const withoutBody = defineStack({
  ...stack,
  routes: {
    // @ts-expect-error: Property 'body' is missing
    "POST /api/orders": { ...base },
  },
});

export const withBodyOnGet = defineStack({
  ...stack,
  routes: {
    // @ts-expect-error: is not assignable to type 'never'
    "GET /api/products": { ...base, body: z.object({}) },
  },
});

export const misspeltOption = defineStack({
  ...stack,
  routes: {
    // @ts-expect-error: 'sumary' does not exist
    "GET /api/products": { ...base, sumary: "All products" },
  },
});

export const misspeltRequired = defineStack({
  ...stack,
  routes: {
    // @ts-expect-error: 'acess' does not exist
    "GET /api/products": { acess: everyone, limit: "9/min per client", response: z.object({}), to: "shop" },
  },
});

export const misspeltUpstream = defineStack({
  ...stack,
  routes: {
    // @ts-expect-error: Type '"shpo"' is not assignable to type '"shop"'
    "GET /api/products": { ...base, to: "shpo" },
  },
});

export const misspeltUnit = defineStack({
  ...stack,
  routes: {
    // @ts-expect-error: Type '"9/minute per client"' is not assignable
    "GET /api/products": { ...base, limit: "9/minute per client" },
  },
});

export const misspeltMethod = defineStack({
  ...stack,
  routes: {
    // @ts-expect-error: Write a method and a path
    "GTE /api/products": { ...base },
  },
});

export const reasonThatIsNone = defineStack({
  ...stack,
  // @ts-expect-error: Type 'boolean' is not assignable to type 'string'
  upstreams: { shop: upstream({ url: "http://127.0.0.1:1", insecureAllowHttp: true }) },
});

// @ts-expect-error: 'timeout' does not exist
export const misspeltInUpstream = upstream({ url: "https://shop.internal", timeout: 5 });

export const misspeltAtTheTop = defineStack({
  ...stack,
  // @ts-expect-error: 'identiy' does not exist
  identiy: { issuer: "https://login.example/", audience: "x" },
});

export const misspeltInForeignSite = defineStack({
  ...stack,
  // @ts-expect-error: 'biuld' does not exist
  site: { dist: "dist", biuld: "npm run build" },
});

export const twoKindsOfSites = defineStack({
  ...stack,
  // @ts-expect-error: Type 'string' is not assignable to type 'undefined'
  site: { dist: "dist", content: "content" },
});

// @ts-expect-error: Property 'access' is missing
export const routeWithoutAccess = route("GET /api/a", {
  limit: "9/min per client",
  response: z.object({}),
  to: "shop",
});

// @ts-expect-error: 'sumary' does not exist
export const routeMisspelt = route("GET /api/a", { ...base, sumary: "x" });

// @ts-expect-error: Property 'params' is missing
export const routeWithoutParams = route("GET /api/users/:user", { ...base, access: owner("user") });

const sentElsewhere = route("GET /api/products", { ...base, to: "mail" });
// @ts-expect-error
export const routeSentElsewhere = defineStack({ ...stack, routes: { ...sentElsewhere } });

const services = {
  ...stack,
  functions: { contact: {} },
  secrets: {
    MAIL_KEY: secret({ use: "POST https://mail.example/v1/send", by: fn("contact"), inject: bearer() }),
    PAYMENT_KEY: webhookSecret(),
  },
} as const;
const hook = { ...base, response: none, body: z.object({ id: z.string() }) } as const;

export const misspeltFunction = defineStack({
  ...services,
  routes: {
    // @ts-expect-error: Type '"fn:contcat"' is not assignable to type
    "POST /api/contact": { ...hook, to: fn("contcat") },
  },
});

export const misspeltWebhookSecret = defineStack({
  ...services,
  routes: {
    // @ts-expect-error: Type '"PAYMENT_KYE"' is not assignable to type
    "POST /webhooks/payments": { ...hook, webhook: stripe("PAYMENT_KYE") },
  },
});

export const misspeltUserOfSecret = defineStack({
  ...stack,
  functions: { contact: {} },
  secrets: {
    // @ts-expect-error
    MAIL_KEY: secret({ use: "POST https://mail.example/v1/send", by: fn("contcat"), inject: bearer() }),
  },
  routes: { "GET /api/products": base },
});

export const secretForHttp = secret({
  // @ts-expect-error: is not assignable to type
  use: "POST http://mail.example/v1/send",
  by: fn("contact"),
  inject: bearer(),
});

// @ts-expect-error: Property 'inject' is missing
export const secretNowhere = secret({ use: "POST https://mail.example/v1/send", by: fn("contact") });
