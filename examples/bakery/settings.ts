import { join } from "node:path";

/** The bakery's name, where it stands outside the site's pages. */
export const bakeryName = "The Weir Bakery";

/** The folder of this example, which is also the folder of its contract. */
export const root: string = import.meta.dirname;

/** What the example writes: databases, keys and certificates. Ignored by git. */
export const stateFolder: string = join(root, ".curtainwall");

/** The authority that signs the example's certificates, relative to the contract. */
export const caFile = ".curtainwall/ca/ca.pem";

/** Where visitors find the bakery. `BAKERY_ORIGIN` moves it. */
export const origin: string = new URL(process.env["BAKERY_ORIGIN"] ?? "https://localhost:8443").origin;

/** Where the shop's API listens. Only the gateway may call it. `BAKERY_SHOP_PORT` moves it. */
export const shopUrl = `https://localhost:${port("BAKERY_SHOP_PORT", 8444)}`;

/** The bakery's OpenID provider: its address and the `iss` of its tokens. `BAKERY_LOGIN_PORT` moves it. */
export const loginUrl = `https://localhost:${port("BAKERY_LOGIN_PORT", 8445)}`;

/** The `aud` of the access tokens that the bakery's API accepts: its resource indicator (RFC 8707). */
export const apiAudience = "https://api.bakery.example";

/** A second API of the same provider, whose tokens the bakery's API must refuse. */
export const wholesaleAudience = "https://wholesale.bakery.example";

function port(name: string, fallback: number): number {
  const text = process.env[name] ?? String(fallback);
  const value = Number(text);
  if (!/^\d{1,5}$/.test(text) || value < 1 || value > 65_535)
    throw new Error(`${name} must be a port from 1 to 65535, not ${JSON.stringify(text)}.`);
  return value;
}
