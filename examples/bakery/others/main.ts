import { appendFileSync, mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { request } from "node:https";
import type { Server } from "node:https";
import { join } from "node:path";
import { developmentCertificate } from "curtainwall/edge";
import { admitImpostor } from "../impostor.ts";
import { close, listen } from "../listen.ts";
import { runService } from "../service.ts";
import { caFile, readAddresses, root, stateFolder } from "../settings.ts";
import { createCourier } from "./courier.ts";
import { issuedKeys } from "./keys.ts";
import { createPostmaster } from "./postmaster.ts";
import { createTill } from "./till.ts";
import type { SignedDelivery } from "./till.ts";

// Services that are somebody else's, and known by the keys that they gave the bakery. One process for all of them.

await runService(async () => {
  const { courierUrl, mailUrl, tillUrl, origin } = readAddresses();
  const keys = issuedKeys();
  const certificate = await developmentCertificate({ folder: join(stateFolder, "ca"), hosts: ["localhost"] });
  const mails = join(stateFolder, "example/mails.jsonl");
  mkdirSync(join(stateFolder, "example"), { recursive: true, mode: 0o700 });
  const send = (delivery: SignedDelivery): Promise<number> =>
    deliver(new URL("/api/payments", origin), delivery);
  const courier = createCourier({ certificate, key: keys.courier });
  const postmaster = createPostmaster({
    certificate,
    key: keys.mail,
    deliver: (id, mail) => {
      const at = new Date().toISOString();
      appendFileSync(mails, `${JSON.stringify({ id, at, ...mail })}\n`, { mode: 0o600 });
    },
  });
  const servers: [Server, string, string, string][] = [
    [courier, "the courier", courierUrl, "BAKERY_COURIER_PORT"],
    [postmaster, "the postmaster", mailUrl, "BAKERY_MAIL_PORT"],
    [createTill({ certificate, key: keys.till, send }), "the till", tillUrl, "BAKERY_TILL_PORT"],
  ];
  for (const [server, name, url, variable] of servers)
    await listen(server, { name, port: Number(new URL(url).port), variable });
  const admissions = [
    await admitImpostor(courier, { name: "courier", certificate }),
    await admitImpostor(postmaster, { name: "postmaster", certificate }),
  ];
  return {
    url: courierUrl,
    close: async () => {
      for (const admission of admissions) admission.close();
      await Promise.all(servers.map(([server]) => close(server)));
    },
  };
});

/** Sends a delivery to the bakery, as any webhook's sender would. */
async function deliver(url: URL, { headers, body }: SignedDelivery): Promise<number> {
  const ca = await readFile(join(root, caFile), "utf8");
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const sent = request(url, { method: "POST", ca, headers, timeout: 10_000 }, (answer) => {
    answer.resume();
    resolve(answer.statusCode ?? 0);
  });
  sent.on("error", reject);
  sent.on("timeout", () => sent.destroy(new Error("The bakery did not answer.")));
  sent.end(body);
  return promise;
}
