import { sha256, toHex } from "../../shared/index.ts";
import type { Contract } from "../contract.ts";
import { openApi } from "../openapi.ts";

/**
 * Names what a contract's routes permit: who may call them, how often, with what, and what comes back. Where the site and its
 * upstreams are found is left out: that differs between a developer's machine and the host.
 */
export async function contractDigest(contract: Contract): Promise<string> {
  const { paths, components } = openApi(contract);
  const routes = contract.routes.map(({ key, to, access, maxBodyBytes, limits }) => ({
    key,
    to,
    access,
    maxBodyBytes,
    limits: limits.map(({ text }) => text),
  }));
  const { schemas } = components as { schemas: unknown };
  return toHex(await sha256(JSON.stringify({ routes, paths, schemas })));
}
