import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:https";
import type { Server } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { developmentCertificate } from "curtainwall/edge";
import { Webhook } from "standardwebhooks";
import { close, listen } from "../listen.ts";
import { createCourier } from "./courier.ts";
import { createPostmaster } from "./postmaster.ts";
import type { Mail } from "./postmaster.ts";
import { createTill, signDelivery } from "./till.ts";
import type { SignedDelivery } from "./till.ts";

const folder = await mkdtemp(join(tmpdir(), "bakery-others-"));
const certificate = await developmentCertificate({ folder, hosts: ["localhost"] });
const key = "opens-in-tests";
const tillKey = `whsec_${Buffer.from("signs-in-tests-signs-in-tests").toString("base64")}`;
const mails: Mail[] = [];
const deliveries: SignedDelivery[] = [];
const courier = await start(createCourier({ certificate, key }));
const postmaster = await start(
  createPostmaster({ certificate, key, deliver: (_id, mail) => mails.push(mail) }),
);
const till = await start(
  createTill({
    certificate,
    key: tillKey,
    send: async (delivery) => {
      deliveries.push(delivery);
      return Promise.resolve(200);
    },
  }),
);
after(async () => {
  await Promise.all([courier, postmaster, till].map(({ stop }) => stop()));
  await rm(folder, { recursive: true });
});

async function start(server: Server): Promise<{ port: number; stop: () => Promise<void> }> {
  const port = await listen(server, { name: "a service", port: 0, variable: "A_PORT" });
  return { port, stop: () => close(server) };
}

interface Call {
  headers?: Record<string, string>;
  body?: unknown;
}

async function call(
  { port }: { port: number },
  method: string,
  path: string,
  { headers = {}, body }: Call = {},
): Promise<{ status: number; json: Record<string, unknown> }> {
  const { promise, resolve, reject } = Promise.withResolvers<{
    status: number;
    json: Record<string, unknown>;
  }>();
  const sent = request(
    { host: "localhost", port, ca: certificate.ca, method, path, headers, agent: false },
    (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, json: JSON.parse(Buffer.concat(chunks).toString("utf8")) }),
      );
    },
  );
  sent.on("error", reject);
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  return promise;
}

test("the courier quotes to whoever has its key", async () => {
  const authorization = `Bearer ${key}`;
  const near = await call(courier, "GET", "/v1/quotes?postcode=BS1%204ST&grams=900", {
    headers: { authorization },
  });
  assert.equal(near.status, 200);
  assert.equal(near.json["priceCents"], 290);
  assert.equal((await call(courier, "GET", "/v1/quotes?postcode=BS1&grams=900")).status, 401);
  assert.equal(
    (await call(courier, "GET", "/v1/quotes?postcode=BS1&grams=0", { headers: { authorization } })).status,
    422,
  );
});

test("the postmaster takes mail from whoever has its key", async () => {
  const mail = { from: "a@bakery.example", to: "b@bakery.example", subject: "Bread", text: "Is there any?" };
  assert.equal((await call(postmaster, "POST", "/v1/messages", { body: mail })).status, 401);
  const sent = await call(postmaster, "POST", "/v1/messages", { headers: { "x-api-key": key }, body: mail });
  assert.equal(sent.status, 202);
  assert.deepEqual(mails, [mail]);
});

test("what the till sends is signed as Standard Webhooks says", async () => {
  const payment = { order: "f05b92d7-4e1c-4a83-9d26-71c8ae40b35d", amountCents: 980, currency: "GBP" };
  assert.equal((await call(till, "POST", "/v1/demonstrations", { body: payment })).json["answered"], 200);
  const [delivery] = deliveries;
  assert.ok(delivery !== undefined);
  const read = new Webhook(tillKey).verify(delivery.body, { ...delivery.headers }) as { data: unknown };
  assert.deepEqual(read.data, payment);
  const other = signDelivery(payment, `whsec_${Buffer.from("another").toString("base64")}`);
  assert.throws(() => new Webhook(tillKey).verify(other.body, { ...other.headers }));
});
