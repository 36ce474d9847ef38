import type { ServerResponse } from "node:http";

/** What stands in every lie, and must never leave. */
export const lieCanary = "canary-lie-2f7ad0";

/** Answers a request as no contract says. */
export type Lie = (response: ServerResponse) => void;

/** What is said of a product instead of the truth. */
export interface LieAboutProduct {
  /** What is wrong with it. */
  readonly what: string;
  /** It is longer than the gateway may read. */
  readonly isTooLong?: true;
  /** It does not say that anybody may see it. */
  readonly isRefused?: true;
  readonly tell: Lie;
}

const honest = {
  name: "Penny bun",
  priceCents: 120,
  currency: "GBP",
  available: false,
  announced: true,
  nutrition: { energyKcal: 228 },
};

/** Answers JSON, or a text that is said to be some. */
export const json = (body: unknown, status = 200, headers: Record<string, string | string[]> = {}): Lie => {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(text);
  };
};

/** None is declared, and each may have a way of its own through a server. */
const statuses = [400, 401, 403, 405, 409, 412, 415, 418, 422, 429, 451];

/** Refusals of an upstream's, in words of its own. */
const refusals: Readonly<Record<string, LieAboutProduct>> = Object.fromEntries(
  statuses.map((status) => [
    `penny-bun-${status}`,
    {
      what: `${status}, in words of its own`,
      tell: json({ error: lieCanary, stack: `Error: ${lieCanary}\n    at shop.js:7:1` }, status, {
        "www-authenticate": `Basic realm="${lieCanary}"`,
        "retry-after": "1",
      }),
    },
  ]),
);

/**
 * Products that are answered wrongly on purpose, by what is wrong: the audit asks for them, to see that nothing of it leaves. They stand in no list, and only the
 * example's own shop has them.
 */
export const lies: Readonly<Record<string, LieAboutProduct>> = {
  "penny-bun-columns": {
    what: "columns of its own, at every depth",
    tell: json({
      id: "penny-bun-columns",
      ...honest,
      costCents: 40,
      supplier: { note: lieCanary },
      nutrition: { ...honest.nutrition, laboratory: lieCanary },
      ["__proto__"]: { note: lieCanary },
    }),
  },
  "penny-bun-unsaid": {
    what: "without the field that says that it is announced",
    isRefused: true,
    tell: json({ id: "penny-bun-unsaid", ...honest, announced: undefined }),
  },
  "penny-bun-null": {
    what: "null where it is to say that it is announced",
    isRefused: true,
    tell: json({ id: "penny-bun-null", ...honest, announced: null }),
  },
  "penny-bun-type": {
    what: "a text where a number is declared",
    tell: json({ id: "penny-bun-type", ...honest, priceCents: `120 ${lieCanary}` }),
  },
  "penny-bun-other": { what: "something else than was asked for", tell: json([lieCanary]) },
  "penny-bun-large": {
    what: "more than may be read",
    isTooLong: true,
    tell: json({ id: "penny-bun-large", ...honest, padding: lieCanary.repeat(20_000) }),
  },
  "penny-bun-announced": {
    what: "more than may be read, announced as that",
    isTooLong: true,
    tell: (response) => {
      const text = `${JSON.stringify({ id: "penny-bun-announced", ...honest })}${" ".repeat(300_000)}`;
      response.writeHead(200, { "content-type": "application/json", "content-length": text.length });
      response.end(text);
    },
  },
  "penny-bun-html": {
    what: "a page",
    tell: (response) => {
      response.writeHead(200, { "content-type": "text/html" });
      response.end(`<script>document.title = "${lieCanary}"</script>`);
    },
  },
  "penny-bun-broken": {
    what: "JSON that ends too early",
    tell: json(`{"id":"penny-bun-broken","note":"${lieCanary}`),
  },
  "penny-bun-zipped": {
    what: "an encoding that nobody asked for",
    tell: json({ id: "penny-bun-zipped", ...honest, note: lieCanary }, 200, { "content-encoding": "gzip" }),
  },
  "penny-bun-headers": {
    what: "headers for the hop, for browsers and for caches, and a cookie",
    tell: json({ id: "penny-bun-headers", ...honest }, 200, {
      connection: "keep-alive, x-inside",
      "x-inside": lieCanary,
      "x-powered-by": lieCanary,
      server: lieCanary,
      via: `1.1 ${lieCanary}`,
      link: `<https://attacker.invalid/${lieCanary}>; rel=preload`,
      location: `https://attacker.invalid/${lieCanary}`,
      "set-cookie": [`session=${lieCanary}; Path=/`, `other=${lieCanary}`],
      "access-control-allow-origin": "*",
      "access-control-allow-credentials": "true",
      "content-security-policy": "default-src *",
      "cache-control": "public, max-age=31536000",
      "clear-site-data": '"*"',
    }),
  },
  "penny-bun-elsewhere": {
    what: "another address",
    tell: json("", 302, { location: `https://attacker.invalid/${lieCanary}` }),
  },
  ...refusals,
  "penny-bun-cut": {
    what: "less than it announces",
    tell: (response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": "4096" });
      response.write(`{"note":"${lieCanary}"`, () => response.destroy());
    },
  },
  "penny-bun-endless": {
    what: "a body without an end",
    tell: (response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.write(`{"id":"${lieCanary}","padding":"`);
      const timer = setInterval(() => response.write("a"), 200);
      response.on("close", () => clearInterval(timer));
    },
  },
};

/** The lie about a product, if one is told. */
export const lieAboutProduct = (id: string): Lie | undefined =>
  Object.hasOwn(lies, id) ? lies[id]?.tell : undefined;
