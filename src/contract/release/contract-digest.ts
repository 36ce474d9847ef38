import { sha256, toHex } from "../../shared/index.ts";
import type { Contract } from "../contract.ts";
import { toJson } from "../permissions/to-json.ts";
import {
  contractTreatments,
  functionTreatments,
  identityTreatments,
  routeTreatments,
  secretTreatments,
  upstreamTreatments,
} from "../permissions/treatment.ts";
import type { Treatments } from "../permissions/treatment.ts";
import type { JsonValue } from "../source.ts";

/**
 * Names what a contract's routes permit: who may call them, how often, with what, what comes back, and what is asked of whoever answers; and what
 * functions and secrets may be used for. Where the site and its upstreams are found is left out, and functions' settings: that differs between a developer's machine and the host.
 */
export async function contractDigest(contract: Contract): Promise<string> {
  const { routes, upstreams, functions, secrets, identity } = contract;
  const counted = {
    ...counting(contract, contractTreatments),
    routes: routes.map((route) => counting(route, routeTreatments)),
    upstreams: [...upstreams.values()].map((upstream) => counting(upstream, upstreamTreatments)),
    functions: [...functions.values()].map((declared) => counting(declared, functionTreatments)),
    secrets: [...secrets.values()].map((secret) => counting(secret, secretTreatments)),
    identity: identity === undefined ? null : counting(identity, identityTreatments),
  };
  return toHex(await sha256(JSON.stringify(counted)));
}

/** The fields that count, among them any that nobody said how to treat; what is absent is as if it were not known here. */
function counting<Parsed extends object>(
  parsed: Parsed,
  treatments: Treatments<Parsed>,
): Record<string, JsonValue> {
  const found: Record<string, JsonValue> = {};
  for (const name of Object.keys(parsed).sort()) {
    const value = parsed[name as keyof Parsed];
    const treatment = Object.hasOwn(treatments, name) ? treatments[name as keyof Parsed][1] : "counts";
    if (treatment === "counts" && value !== undefined && !parts.has(name)) found[name] = toJson(value);
  }
  return found;
}

/** Of the contract, and told field by field instead. */
const parts = new Set(["routes", "upstreams", "functions", "secrets", "identity"]);
