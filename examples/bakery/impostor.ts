import type { Server } from "node:https";
import { join } from "node:path";
import type { AuditImpostor } from "curtainwall/audit";
import { developmentCertificate } from "curtainwall/edge";
import { knock, openDoor } from "./door.ts";
import type { Door } from "./door.ts";
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

type Seen = Awaited<ReturnType<AuditImpostor["seen"]>>;

/**
 * Lets whoever can read the state folder put an impostor in a server's place: somebody with a certificate of another authority for the same name,
 * who reads what is sent and says yes to all of it.
 */
export async function admitImpostor(
  server: Server,
  { name, certificate, folder = stateFolder, mostMs = 10_000 }: AdmitImpostorOptions,
): Promise<Door> {
  let place: Place | undefined;
  const leave = (): void => {
    place?.leave();
    place = undefined;
  };
  const answer = async (method: string): Promise<Seen> => {
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
  const door = await openDoor(doorOf(name), answer, folder);
  return {
    close: () => {
      leave();
      door.close();
    },
  };
}

const doorOf = (name: string): string => `impostor-${name}`;

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
  const ask = async (method: string): Promise<Seen> => (await knock(doorOf(name), method, folder)) as Seen;
  await ask("PUT");
  return {
    seen: () => ask("GET"),
    leave: async () => {
      await ask("DELETE");
    },
  };
}
