// Functions that must type-check, and what their types say.
import { defineStack, everyone, fn, form, none, signedIn } from "curtainwall";
import { defineFunction, fail, onSchedule, reply } from "curtainwall/functions";
import { z } from "zod";

export const contract = defineStack({
  origin: "https://www.bakery.example",
  functions: { contact: {}, quotes: {} },
  routes: {
    "POST /api/contact": {
      access: everyone,
      limit: "5/min per client",
      headers: { "x-version": z.enum(["1", "2"]) },
      body: z.object({ text: z.string().max(2000), on: z.iso.date() }),
      response: z.object({ sent: z.boolean(), at: z.iso.datetime().optional() }),
      errors: { 409: z.object({ reason: z.string() }) },
      to: fn("contact"),
    },
    "GET /api/quotes/:zone": {
      access: signedIn,
      limit: "5/min per client",
      params: { zone: z.coerce.number().int() },
      query: { grams: z.coerce.number().int().optional() },
      response: z.array(z.object({ cents: z.int() })),
      to: fn("quotes"),
    },
    "POST /api/letters": {
      access: everyone,
      limit: "5/min per client",
      body: form({ name: z.string() }),
      response: none,
      to: fn("contact"),
    },
  },
});

type Same<Left, Right> =
  (<T>() => T extends Left ? 1 : 2) extends <T>() => T extends Right ? 1 : 2 ? true : false;
const holds = <_Fact extends true>(): void => undefined;

export const contact = defineFunction<typeof contract, "POST /api/contact">(
  async ({ body, headers, params, query, caller, id, route, signal }) => {
    holds<Same<typeof body.text, string>>();
    holds<Same<(typeof headers)["x-version"], "1" | "2">>();
    holds<Same<typeof params, {}>>();
    holds<Same<typeof query, {}>>();
    holds<Same<typeof route, "POST /api/contact">>();
    holds<Same<typeof id, string>>();
    if (signal.aborted) return fail(422);
    if (caller === undefined) return fail(409, { reason: "who are you?" });
    if (caller.roles.includes("staff")) throw fail(404);
    return { sent: true };
  },
  { scheduled: ({ due }) => console.log(due.toISOString()) },
);

export const quotes = defineFunction<typeof contract, "GET /api/quotes/:zone">(({ params, query, body }) => {
  holds<Same<typeof params.zone, number>>();
  holds<Same<typeof query.grams, number | undefined>>();
  holds<Same<typeof body, undefined>>();
  return reply([{ cents: params.zone }], { status: 201, headers: { "x-rest": "1" } });
});

export const several = defineFunction<typeof contract, "POST /api/contact" | "POST /api/letters">((call) => {
  if (call.route === "POST /api/contact") return { sent: call.body.text !== "" };
  holds<Same<typeof call.body.name, string>>();
  return undefined;
});

export const daily = onSchedule(async ({ id, signal }) => {
  await fetch("https://api.example/v1/refresh", { headers: { "x-id": id }, signal });
});
