import { join } from "node:path";

/** The folder of this example, which is also the folder of its contract. */
export const root: string = import.meta.dirname;
export const stateFolder: string = join(root, ".curtainwall");
/** The authority that signs the example's certificates, relative to the contract. */
export const caFile = ".curtainwall/ca/ca.crt";

/** Addresses, all on loopback, and the variables that move them. */
export function readAddresses(): {
  origin: `https://${string}`;
  courier: `https://${string}`;
  bystander: `https://${string}`;
} {
  return {
    origin: local("HOSTILE_PORT", 8453),
    courier: local("HOSTILE_COURIER_PORT", 8454),
    bystander: local("HOSTILE_BYSTANDER_PORT", 8455),
  };
}

const local = (variable: string, fallback: number): `https://localhost:${number}` =>
  `https://localhost:${Number(process.env[variable] ?? fallback)}`;
