import { defineStack, source } from "curtainwall";
import type { ListProps, PageProps } from "curtainwall/template";
import { z } from "zod";

// What a source's schema says is what templates are given.
const collections = {
  pages: z.object({ title: z.string() }),
  products: source("https://pim.example/", z.object({ slug: z.string(), cents: z.int() }), { at: ["data"] }),
};

export const stack = defineStack({
  origin: "https://www.site.example",
  site: { content: "content", templates: "templates", collections, lists: { products: { by: "cents" } } },
});

export function page({ entry, collections: all }: PageProps<typeof collections, "products">): number {
  // @ts-expect-error -- the schema has no such field
  void entry.data.price;
  return entry.data.cents + (all.products[0]?.data.cents ?? 0);
}

export function list({ page: shown, text }: ListProps<typeof collections, "products">): string {
  // @ts-expect-error -- there may be no page at the list's address
  void text.data.title;
  const cents: number[] = shown.items.map(({ data }) => data.cents);
  return `${cents.length} ${text?.data.title ?? ""}`;
}
