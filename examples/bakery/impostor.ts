import type { Server } from "node:https";
import { join } from "node:path";
import type { AuditImpostor, AuditImpostors } from "curtainwall/audit";
import { developmentCertificate } from "curtainwall/edge";
import { knock, openDoor } from "./door.ts";
import type { Door, KnockOptions } from "./door.ts";
import type { Certificate } from "./others/api.ts";
import { stateFolder } from "./settings.ts";

/** Options of {@link admitImpostor}. */
export interface AdmitImpostorOptions {
  /** Whose place it is, for {@link impostorsOf}: `courier`. */
  readonly name: string;
  /** The server's own certificate, which it has again afterwards. */
  readonly certificate: Certificate;
  /** Where the way in and the authorities are kept. Default: the bakery's state folder. */
  readonly folder?: string;
  /** How long an impostor may stay, in milliseconds, should whoever put it there be gone. Default 10 000. */
  readonly mostMs?: number;
}

type Seen = Awaited<ReturnType<AuditImpostor["seen"]>>;

/**
 * Lets whoever can read the state folder put an impostor in a server's place: somebody with a certificate of another authority, or for another name,
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
  const answer = async (method: string, flaw: string): Promise<Seen> => {
    if (method === "PUT") {
      const stranger = await certificateWith(flaw as Flaw, folder);
      leave();
      place = takePlace(server, { stranger, own: certificate, mostMs });
    }
    const seen = { ...(place?.seen ?? { hellos: 0, requests: 0 }) };
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

/** What is wrong with an impostor's certificate. */
type Flaw = keyof AuditImpostors;

/** The bakery's own authority may sign for another of this machine's names, and a new one for the right name. */
const certificateWith = (flaw: Flaw, folder: string): Promise<Certificate> =>
  flaw === "wrongName"
    ? developmentCertificate({ folder: join(folder, "ca"), hosts: ["impostor.localhost"] })
    : developmentCertificate({ folder: join(folder, "impostor"), hosts: ["localhost"] });

interface Place {
  readonly seen: Seen;
  leave(): void;
}

/** Connections end when it comes and when it goes, so that nobody goes on talking to who was there before. */
function takePlace(
  server: Server,
  { stranger, own, mostMs }: { stranger: Certificate; own: Certificate; mostMs: number },
): Place {
  const seen = { hellos: 0, requests: 0 };
  const handlers = server.listeners("request") as ((...of: unknown[]) => void)[];
  const greeted = new WeakSet<object>();
  // Keys are made once a hello was answered; who only connects has been shown no certificate.
  const onKeys = (_line: Buffer, socket: object): void => {
    if (!greeted.has(socket)) seen.hellos++;
    greeted.add(socket);
  };
  const show = ({ cert, key }: Certificate): void => {
    server.setSecureContext({ cert, key, minVersion: "TLSv1.3" });
    server.closeAllConnections();
  };
  const leave = (): void => {
    clearTimeout(timer);
    server.removeAllListeners("request").off("keylog", onKeys);
    for (const handler of handlers) server.on("request", handler);
    show(own);
  };
  const timer = setTimeout(leave, mostMs);
  server.removeAllListeners("request").on("keylog", onKeys);
  server.on("request", (_request, response) => {
    seen.requests++;
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  show(stranger);
  return { seen, leave };
}

/** Who can be put in the place of the server that was given this name. */
export function impostorsOf(name: string, folder: string = stateFolder): Required<AuditImpostors> {
  const ask = async (method: KnockOptions["method"] & string, path?: Flaw): Promise<Seen> =>
    (await knock(doorOf(name), { method, folder, ...(path === undefined ? {} : { path }) })) as Seen;
  const put = async (flaw: Flaw): Promise<AuditImpostor> => {
    await ask("PUT", flaw);
    return {
      seen: () => ask("GET"),
      leave: async () => {
        await ask("DELETE");
      },
    };
  };
  return { wrongAuthority: () => put("wrongAuthority"), wrongName: () => put("wrongName") };
}
