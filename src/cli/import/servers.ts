import { isLoopbackHost } from "../../contract/index.ts";
import { quoted } from "./code.ts";
import type { Item } from "./code.ts";
import { object } from "./code.ts";
import { listAt, member, membersAt, textAt } from "./values.ts";
import type { Members } from "./values.ts";

/** Where an operation is answered. */
export interface ImportedServer {
  /** Name of the upstream. */
  readonly to: string;
  /** Path of its address, that clients see too. */
  readonly base: string;
}

/** The services that stand behind the API, by their origins. */
export interface Servers {
  of(item: Members, operation: Members): ImportedServer;
  /** The upstreams that routes are sent to. */
  declare(): Item[];
  /** Whether an address is still to be filled in. */
  readonly isUnknown: boolean;
}

/** Options of {@link createServers}. */
export interface ServerOptions {
  /** Where the API is, whatever the description says. */
  readonly upstream?: URL | undefined;
  /** Where the description was read, to which its addresses are relative. */
  readonly base?: URL | undefined;
}

/** Names an upstream for each origin that the description speaks of. */
export function createServers(document: Members, { upstream, base }: ServerOptions): Servers {
  const names = new Map<string, string>();

  function urlOf(lists: readonly unknown[]): { origin: string; base: string } {
    const server = lists
      .map((list) => (Array.isArray(list) ? (list[0] as unknown) : undefined))
      .find((entry) => entry !== undefined);
    const text = fill(textAt(server, "url") ?? "", membersAt(server, "variables"));
    const url = URL.parse(text, base ?? "https://unknown.invalid");
    const path = url === null || /[?#]/.test(text) ? "" : decodePath(url.pathname).replace(/\/+$/, "");
    const isWeb = url?.protocol === "https:" || url?.protocol === "http:";
    const origin =
      upstream?.origin ?? (url !== null && isWeb && url.hostname !== "unknown.invalid" ? url.origin : "");
    return { origin, base: path };
  }

  function nameOf(origin: string): string {
    const known = names.get(origin);
    const name = known ?? (names.size === 0 ? "api" : `api${names.size + 1}`);
    names.set(origin, name);
    return name;
  }

  return {
    of(item, operation) {
      const { origin, base: path } = urlOf([
        member(operation, "servers"),
        member(item, "servers"),
        listAt(document, "servers"),
      ]);
      return { to: nameOf(origin), base: path };
    },
    declare: () => [...names].map(([origin, name]) => declareOne(origin, name)),
    get isUnknown() {
      return names.has("");
    },
  };
}

function declareOne(origin: string, name: string): Item {
  const url = { name: "url", value: quoted(origin) };
  const made = (items: readonly Item[]): Item["value"] => ["upstream(", object(items), ")"];
  if (origin === "")
    return { name, notes: ["TODO say where it is; the description does not"], value: made([url]) };
  const { protocol, hostname } = new URL(origin);
  if (protocol !== "http:") return { name, value: made([url]) };
  if (isLoopbackHost(hostname))
    return {
      name,
      value: made([url, { name: "insecureAllowHttp", value: quoted("it listens on this machine only") }]),
    };
  return {
    name,
    notes: ['TODO https, or say why http is safe here:  insecureAllowHttp: "…"'],
    value: made([url]),
  };
}

/** A server's variables as they are by default. */
const fill = (url: string, variables: Members): string =>
  url.replaceAll(
    /\{([^{}]{1,100})\}/g,
    (_, name: string) => textAt(member(variables, name), "default") ?? "",
  );

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
