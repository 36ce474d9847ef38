import { z } from "zod";

/** What we bake every week. The site's pages and the shop's stock both come from this list; `id` is also the page's address. */
export const breads = [
  { id: "weir-loaf", name: "Weir loaf", priceCents: 460 },
  { id: "ferrymans-rye", name: "Ferryman’s rye", priceCents: 520 },
  { id: "seven-seed", name: "Seven seed", priceCents: 540 },
  { id: "porridge-loaf", name: "Porridge loaf", priceCents: 490 },
  { id: "saturday-bun", name: "Saturday bun", priceCents: 240 },
] as const;

/** What all prices are in. */
export const currency = "GBP";

/** The fourteen allergens that British law has us name. */
const allergens = [
  "gluten",
  "milk",
  "eggs",
  "nuts",
  "peanuts",
  "sesame",
  "soya",
  "celery",
  "mustard",
  "lupin",
  "fish",
  "crustaceans",
  "molluscs",
  "sulphites",
] as const;

const title = z.string().min(1).max(80);
const description = z.string().min(20).max(200);

/** The front matter that each folder of `content/` must have. */
export const collections = {
  pages: z.object({
    title,
    description,
    layout: z.enum(["plain", "home", "breads", "visit", "contact", "signed-in"]).default("plain"),
    /** A line above the title. */
    kicker: z.string().max(40).optional(),
  }),
  breads: z.object({
    title,
    description,
    product: z.enum(breads.map((bread) => bread.id)),
    order: z.int().min(1).max(99),
    weightGrams: z.int().min(20).max(5000),
    flours: z.array(z.string().max(60)).min(1),
    allergens: z.array(z.enum(allergens)),
    /** When it leaves the oven. */
    baked: z.string().max(60),
    picture: z.string().regex(/^[a-z-]+\.svg$/),
    pictureText: z.string().max(160),
  }),
  news: z.object({
    title,
    description,
    date: z.iso.date(),
    author: z.string().max(40),
    tags: z.array(z.string().max(30)).min(1).max(5),
  }),
};
