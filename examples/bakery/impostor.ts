import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { AuditImpostor } from "curtainwall/audit";
import { developmentCertificate } from "curtainwall/edge";
import { says } from "./others/api.ts";
import type { Certificate } from "./others/api.ts";
import { stateFolder } from "./settings.ts";

/** Options of {@link admitImpostor}. */
export interface AdmitImpostorOptions {
  /** Whose place it is, for {@link placeImpostor}: `courier`. */
  readonly name: string;
  /** The server's own certificate, which it has again afterwards. */
  readonly certificate: Certificate;
  /** Where the way in and the impostor's own authority are kept. Default: the bakery's state folder. */
  readonly folder?: string;
  /** How long an impostor may stay, in milliseconds, should whoever put it there be gone. Default 10 000. */
  readonly mostMs?: number;
}

/** What {@link admitImpostor} opened. */
export interface Admission {
  close(): void;
}

type Seen = Awaited<ReturnType<AuditImpostor["seen"]>>;

/**
 * Lets whoever can read the state folder put an impostor in a server's place: somebody with a certificate of another authority for the same name,
 * who reads what is sent and says yes to all of it.
 */
export async function admitImpostor(
  server: Server,
  { name, certificate, folder = stateFolder, mostMs = 10_000 }: AdmitImpostorOptions,
): Promise<Admission> {
  const key = `Bearer ${randomBytes(24).toString("base64url")}`;
  let place: Place | undefined;
  const leave = (): void => {
    place?.leave();
    place = undefined;
  };
  const answer = async ({ method, headers }: IncomingMessage): Promise<Seen | undefined> => {
    if (!says(headers.authorization, key)) return undefined;
    if (method === "PUT") {
      const stranger = await developmentCertificate({
        folder: join(folder, "impostor"),
        hosts: ["localhost"],
      });
      leave();
      place = takePlace(server, { stranger, own: certificate, mostMs });
    }
    const seen = { ...(place?.seen ?? { connections: 0, requests: 0 }) };
    if (method === "DELETE") leave();
    return seen;
  };
  const door = createServer((request, response) => {
    answer(request).then(
      (seen) => send(response, seen),
      () => response.destroy(),
    );
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  door.listen({ host: "localhost", port: 0 }, resolve);
  await promise;
  const { port } = door.address() as AddressInfo;
  const file = fileOf(folder, name);
  mkdirSync(join(folder, "example"), { recursive: true, mode: 0o700 });
  // Anew: a file that is there keeps its mode.
  rmSync(file, { force: true });
  writeFileSync(file, JSON.stringify({ url: `http://localhost:${port}/`, key }), { mode: 0o600 });
  return {
    close: () => {
      leave();
      door.close();
      door.closeAllConnections();
    },
  };
}

const fileOf = (folder: string, name: string): string => join(folder, "example", `impostor-${name}.json`);

function send(response: ServerResponse, seen: Seen | undefined): void {
  response.writeHead(seen === undefined ? 403 : 200, { "content-type": "application/json" });
  response.end(JSON.stringify(seen ?? {}));
}

interface Place {
  readonly seen: Seen;
  leave(): void;
}

/** Connections end when it comes and when it goes, so that nobody goes on talking to who was there before. */
function takePlace(
  server: Server,
  { stranger, own, mostMs }: { stranger: Certificate; own: Certificate; mostMs: number },
): Place {
  const seen = { connections: 0, requests: 0 };
  const handlers = server.listeners("request") as ((...of: unknown[]) => void)[];
  const onConnection = (): void => void seen.connections++;
  const show = ({ cert, key }: Certificate): void => {
    server.setSecureContext({ cert, key, minVersion: "TLSv1.3" });
    server.closeAllConnections();
  };
  const leave = (): void => {
    clearTimeout(timer);
    server.removeAllListeners("request").off("connection", onConnection);
    for (const handler of handlers) server.on("request", handler);
    show(own);
  };
  const timer = setTimeout(leave, mostMs);
  server.removeAllListeners("request").on("connection", onConnection);
  server.on("request", (_request, response) => {
    seen.requests++;
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  show(stranger);
  return { seen, leave };
}

/** Puts an impostor in the place of the server that was given this name. */
export async function placeImpostor(name: string, folder: string = stateFolder): Promise<AuditImpostor> {
  const { url, key } = JSON.parse(await readFile(fileOf(folder, name), "utf8")) as {
    url: string;
    key: string;
  };
  const ask = async (method: string): Promise<Seen> => {
    const answer = await fetch(url, { method, headers: { authorization: key, connection: "close" } });
    if (!answer.ok) throw new Error(`The ${name} lets no impostor in (${answer.status}).`);
    return (await answer.json()) as Seen;
  };
  await ask("PUT");
  return {
    seen: () => ask("GET"),
    leave: async () => {
      await ask("DELETE");
    },
  };
}
