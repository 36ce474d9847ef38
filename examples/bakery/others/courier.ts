import type { Server } from "node:https";
import { createApi, nothingHere, refusedKey, says } from "./api.ts";
import type { ApiAnswer, ApiRequest, Certificate } from "./api.ts";

/** Options of {@link createCourier}. */
export interface CourierOptions {
  readonly certificate: Certificate;
  readonly key: string;
  /** Told of each request that came. */
  readonly onRequest?: (request: ApiRequest) => void;
}

/** The courier's API: what a delivery costs. Who has the key could do more with it: see what the bakery paid, close its account. */
export function createCourier({ certificate, key, onRequest }: CourierOptions): Server {
  return createApi(certificate, (request) => {
    onRequest?.(request);
    if (!says(request.headers.authorization, `Bearer ${key}`)) return refusedKey;
    return answer(request);
  });
}

function answer({ method, url, headers, body }: ApiRequest): ApiAnswer {
  const { pathname, searchParams } = url;
  if (method === "GET" && pathname === "/v1/quotes") return quote(searchParams);
  if (method === "GET" && pathname === "/v1/invoices")
    return { status: 200, body: { invoices: [{ month: "2026-10", totalCents: 48_210 }] } };
  if (method === "DELETE" && pathname === "/v1/account") return { status: 200, body: { closed: true } };
  // As many services have one, for those who try them out.
  if (pathname === "/v1/echo") return { status: 200, body: { method, headers, body } };
  return nothingHere;
}

const gramsToCarry = 20_000;
/** Jersey, Guernsey and the Isle of Man: no van gets there. */
const overseas = /^(?:JE|GY|IM)/;

/** What Britain's registers write for who has no address: it is in no depot's district, and nobody here thought of that. */
const nowhere = "ZZ99 3VZ";

function quote(asked: URLSearchParams): ApiAnswer {
  const postcode = asked.get("postcode") ?? "";
  const grams = Number(asked.get("grams"));
  if (!/^[A-Z0-9 ]{3,8}$/.test(postcode) || !(grams >= 1 && grams <= gramsToCarry) || overseas.test(postcode))
    return { status: 422, body: { error: "Nobody goes there, or it is too heavy." } };
  if (postcode === nowhere) return { status: 500, body: { error: "depotOf(ZZ): undefined" } };
  const isNear = postcode.startsWith("BS");
  return {
    status: 200,
    body: {
      postcode,
      priceCents: (isNear ? 250 : 490) + Math.ceil(grams / 1000) * 40,
      currency: "GBP",
      days: isNear ? 1 : 3,
      depot: "Avonmouth 3, driver to be told",
    },
  };
}
