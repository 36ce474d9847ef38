import { breads, currency } from "../collections.ts";

const format = new Intl.NumberFormat("en-GB", { style: "currency", currency });

/** A bread's price from the list; the script replaces it by the shop's own, if it can be reached. */
export function Price({ product }: { product: string }) {
  const bread = breads.find(({ id }) => id === product);
  return (
    <p class="price" data-product={product}>
      {bread === undefined ? "Ask at the counter" : format.format(bread.priceCents / 100)}
    </p>
  );
}
