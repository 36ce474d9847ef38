import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { says } from "./others/api.ts";
import { stateFolder } from "./settings.ts";

/** A way into a service for whoever can read the bakery's state folder, and nobody else: the audit, on the same machine. */
export interface Door {
  close(): void;
}

/** Opens a {@link Door}: it listens on loopback, and its address and key stand in a file that only its owner may read. */
export async function openDoor(
  name: string,
  answer: (method: string, path: string) => unknown,
  folder: string = stateFolder,
): Promise<Door> {
  const key = `Bearer ${randomBytes(24).toString("base64url")}`;
  const door = createServer(({ method = "GET", url = "/", headers }, response) => {
    const isKnown = says(headers.authorization, key);
    Promise.try(() => (isKnown ? answer(method, url.slice(1)) : {})).then(
      (told) => {
        response.writeHead(isKnown ? 200 : 403, { "content-type": "application/json" });
        response.end(JSON.stringify(told));
      },
      () => response.destroy(),
    );
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  door.once("error", reject).listen({ host: "localhost", port: 0 }, resolve);
  await promise;
  const { port } = door.address() as AddressInfo;
  const file = fileOf(folder, name);
  mkdirSync(join(folder, "example"), { recursive: true, mode: 0o700 });
  // Anew: a file that is there keeps its mode.
  rmSync(file, { force: true });
  writeFileSync(file, JSON.stringify({ url: `http://localhost:${port}/`, key }), { mode: 0o600 });
  return {
    close: () => {
      door.close();
      door.closeAllConnections();
    },
  };
}

const fileOf = (folder: string, name: string): string => join(folder, "example", `${name}.json`);

/** Options of {@link knock}. */
export interface KnockOptions {
  /** Default: it asks, and changes nothing. */
  readonly method?: "GET" | "PUT" | "DELETE";
  /** What is asked for, where a door has several things. Default: none. */
  readonly path?: string;
  readonly folder?: string;
}

/** Asks at a {@link Door}. */
export async function knock(
  name: string,
  { method = "GET", path = "", folder = stateFolder }: KnockOptions = {},
): Promise<unknown> {
  const { url, key } = JSON.parse(await readFile(fileOf(folder, name), "utf8")) as Record<
    "url" | "key",
    string
  >;
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: key, connection: "close" },
  });
  if (!answer.ok) throw new Error(`The ${name} tells nothing (${answer.status}).`);
  return answer.json();
}
