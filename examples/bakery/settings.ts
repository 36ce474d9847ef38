import { join } from "node:path";

/** The bakery's name, where it stands outside the site's pages. */
export const bakeryName = "Pell & Daughter";

/** The folder of this example, which is also the folder of its contract. */
export const root: string = import.meta.dirname;

/** What the example writes: databases, keys and certificates. Ignored by git. */
export const stateFolder: string = join(root, ".curtainwall");

/** The authority that signs the example's certificates, relative to the contract. */
export const caFile = ".curtainwall/ca/ca.crt";

/** The `aud` of the access tokens that the bakery's API accepts: its resource indicator (RFC 8707). */
export const apiAudience = "https://api.bakery.example";

/** A second API of the same provider, whose tokens the bakery's API must refuse. */
export const wholesaleAudience = "https://wholesale.bakery.example";

/** The variables that move the bakery and what it works with. */
export const addressVariables: readonly string[] = [
  "BAKERY_ORIGIN",
  "BAKERY_SHOP_PORT",
  "BAKERY_LOGIN_PORT",
  "BAKERY_COURIER_PORT",
  "BAKERY_MAIL_PORT",
  "BAKERY_TILL_PORT",
];

/** How all of it is moved, where something else listens. */
export const howToMove: string = addressVariables
  .map((name) => `${name}=${name === "BAKERY_ORIGIN" ? "https://localhost:" : ""}…`)
  .join(" ");

/** Addresses, all on loopback. */
export interface Addresses {
  /** Where visitors find the bakery. `BAKERY_ORIGIN` moves it. */
  readonly origin: string;
  /** Where the shop's API listens, which only the gateway may call. `BAKERY_SHOP_PORT` moves it. */
  readonly shopUrl: `https://${string}`;
  /** The bakery's OpenID provider: its address and the `iss` of its tokens. `BAKERY_LOGIN_PORT` moves it. */
  readonly loginUrl: string;
  /** Whoever delivers: asked what it costs. `BAKERY_COURIER_PORT` moves it. */
  readonly courierUrl: `https://${string}`;
  /** Whoever sends the bakery's mail. `BAKERY_MAIL_PORT` moves it. */
  readonly mailUrl: `https://${string}`;
  /** Whoever takes payments, and tells of them. `BAKERY_TILL_PORT` moves it. */
  readonly tillUrl: string;
}

/**
 * Reads the addresses from the environment. A function, because the contract must read it when *it* is loaded: the
 * variables that it reads then are those that the edge is given.
 */
export function readAddresses(): Addresses {
  return {
    origin: process.env["BAKERY_ORIGIN"] ?? "https://localhost:8443",
    shopUrl: local("BAKERY_SHOP_PORT", "8444"),
    loginUrl: local("BAKERY_LOGIN_PORT", "8445"),
    courierUrl: local("BAKERY_COURIER_PORT", "8446"),
    mailUrl: local("BAKERY_MAIL_PORT", "8447"),
    tillUrl: local("BAKERY_TILL_PORT", "8448"),
  };
}

const local = (variable: string, fallback: string): `https://localhost:${number}` =>
  `https://localhost:${readPort(variable, fallback)}`;

function readPort(name: string, fallback: string): number {
  const text = process.env[name] ?? fallback;
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535)
    throw new Error(`${name} must be a port from 1 to 65535, not ${JSON.stringify(text)}.`);
  return port;
}
