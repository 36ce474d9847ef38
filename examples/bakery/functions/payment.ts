import { defineFunction, fail } from "curtainwall/functions";
import type contract from "../curtainwall.config.ts";

/** Notes at the shop what the till says was paid. Who says so was checked before this runs. */
export default defineFunction<typeof contract, "POST /api/payments">(async ({ body, settings, signal }) => {
  const noted = await fetch(`${settings["shop"]}/payments`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ order: body.data.order }),
    signal,
  });
  if (noted.status === 404) return fail(404);
  if (!noted.ok) throw new Error(`the shop answered ${noted.status}`);
  return { noted: true };
});
