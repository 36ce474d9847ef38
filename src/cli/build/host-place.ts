import type { HostPlace } from "../../stack/index.ts";
import { usageError } from "../command.ts";
import type { Command } from "../command.ts";

/** Options that say where a site lies on a server of one's own. */
export const placeOptions: Command["options"] = {
  at: { type: "string", says: "nginx, caddy: the folder on the server; by default /srv/curtainwall" },
  certificate: {
    type: "string",
    says: "nginx, caddy: the certificate's chain and its key on the server, with a comma between them; by default nginx looks in /etc/curtainwall, and Caddy gets one by itself",
  },
};

/** Reads {@link placeOptions}. */
export function placeOf(values: ReadonlyMap<string, string>, command: Command): HostPlace {
  const folder = values.get("at");
  const pair = values.get("certificate");
  const [chainFile = "", keyFile = "", ...more] = pair?.split(",").map((file) => file.trim()) ?? [];
  if (pair !== undefined && (chainFile === "" || keyFile === "" || more.length > 0))
    throw usageError("--certificate takes two files: /etc/ssl/site/chain.pem,/etc/ssl/site/key.pem", command);
  return {
    ...(folder === undefined ? {} : { folder }),
    ...(pair === undefined ? {} : { certificate: { chainFile, keyFile } }),
  };
}
