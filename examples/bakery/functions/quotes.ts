import { defineFunction, fail } from "curtainwall/functions";
import { z } from "zod/mini";
import type contract from "../curtainwall.config.ts";

/** What the courier says, as far as we believe it. */
const Quote = z.object({
  priceCents: z.int().check(z.minimum(0)),
  currency: z.enum(["GBP", "EUR"]),
  days: z.int().check(z.minimum(0)),
});

/** What a delivery costs. The courier's API asks for a key, which is added outside: this code never has it. */
export default defineFunction<typeof contract, "GET /api/delivery">(async ({ query, settings, signal }) => {
  const asked = new URLSearchParams({ postcode: query.postcode, grams: String(query.grams) });
  const answer = await fetch(`${settings["courier"]}/v1/quotes?${asked}`, { signal });
  if (answer.status === 422) return fail(422, { error: "We can’t deliver that there." });
  if (!answer.ok) throw new Error(`the courier answered ${answer.status}`);
  return Quote.parse(await answer.json());
});
