import assert from "node:assert/strict";
import { createServer } from "node:https";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { z } from "zod";
import {
  defineStack,
  owner,
  ownerField,
  ownerLookup,
  parseContract,
  signedIn,
  upstream,
} from "../../../contract/index.ts";
import { testCertificate } from "../../fixtures/certificate.ts";
import { runCheck } from "../../check.ts";
import { openContext } from "../../node/open-context.ts";
import type { ReceivedRequest } from "../../probes/upstream-witness.ts";
import type { AuditCheck } from "../../report.ts";
import { sequences } from "./sequences.ts";

// A site of notes, where what is refused or deleted may be there all the same.

type Habit =
  | "does as it says"
  | "lists them a moment longer"
  | "tells in its 404 what it was"
  | "goes on listing what is gone"
  | "goes on printing what is gone"
  | "brings back what is changed"
  | "lists everybody's"
  | "prints for anybody"
  | "changes a moment after it refused"
  | "passes on what it refuses";

interface Note {
  id: string;
  user: string;
  note: string;
}

const alice = "0b1f6c0e-5d1c-4a55-8f3e-6f8f4f0f8a11";
const bob = "1c2f6c0e-5d1c-4a55-8f3e-6f8f4f0f8a22";
const own = await testCertificate();
let habit: Habit = "does as it says";
const notes = new Map<string, Note>();
const gone = new Map<string, Note>();
let listings = 0;
let received: ReceivedRequest[] = [];

const server = createServer({ ...own, minVersion: "TLSv1.3" }, (request, response) => {
  void answer(request).then(([status, value]) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value)),
  );
});
await new Promise<void>((ready) => server.listen({ host: "localhost", port: 0 }, ready));
const origin = `https://localhost:${(server.address() as AddressInfo).port}` as const;
after(() => {
  server.close();
  server.closeAllConnections();
});

type Answer = [status: number, value: unknown];

async function answer(request: IncomingMessage): Promise<Answer> {
  const { method = "", url = "", headers } = request;
  const body = await text(request);
  const [, user] = headers.authorization?.split("Bearer ") ?? [];
  const [, , kind, name = "", part] = url.split("/");
  if (user === undefined) return [401, { title: "Who are you?" }];
  if (kind === "users") return name === user ? [200, { notes: listOf(user) }] : [403, { title: "No" }];
  if (method === "POST") {
    const note = { id: crypto.randomUUID(), user, note: (JSON.parse(body) as { note: string }).note };
    notes.set(note.id, note);
    return [200, note];
  }
  const note = notes.get(name);
  const was = gone.get(name);
  if (note === undefined && was !== undefined && was.user === user) return answerGone(method, part, was);
  if (note === undefined) return [404, { title: "Nothing" }];
  const mayPrint = habit === "prints for anybody" && part === "print";
  if (note.user !== user && !mayPrint) {
    if (method === "PATCH") refuseAndDo(method, url, note);
    return [403, { title: "No" }];
  }
  received.push({ method, target: url, headers: {} });
  if (method === "PATCH") note.note = (JSON.parse(body) as { note: string }).note;
  if (method === "DELETE") {
    notes.delete(name);
    gone.set(name, note);
    listings = 0;
  }
  return [200, part === "print" ? { printed: note.note } : note];
}

function listOf(user: string): Note[] {
  const all = [...notes.values()].filter((note) => note.user === user || habit === "lists everybody's");
  const isLate = habit === "lists them a moment longer" && listings++ < 1;
  return habit === "goes on listing what is gone" || isLate
    ? [...all, ...gone.values()].filter((note) => note.user === user)
    : all;
}

function answerGone(method: string, part: string | undefined, was: Note): Answer {
  if (habit === "brings back what is changed" && method === "PATCH") notes.set(was.id, was);
  if (habit === "goes on printing what is gone" && part === "print") return [200, { printed: was.note }];
  return [404, habit === "tells in its 404 what it was" ? was : { title: "Nothing" }];
}

function refuseAndDo(method: string, target: string, note: Note): void {
  if (habit === "changes a moment after it refused") setTimeout(() => (note.note = "Changed"), 100);
  if (habit === "passes on what it refuses") received.push({ method, target, headers: {} });
}

const Item = z.object({ id: z.uuid(), user: z.uuid(), note: z.string().max(80) });
const limit = "600/min per client";
const lookedUp = ownerLookup({ get: "/api/notes/:id", field: "user" });
const params = { id: z.uuid() };
const contract = parseContract(
  defineStack({
    origin,
    identity: { issuer: `${origin}/login`, audience: "https://api.test.example" },
    upstreams: { notes: upstream({ url: origin }) },
    edge: { redirectPort: false },
    routes: {
      "POST /api/notes": {
        access: signedIn,
        limit,
        body: z.object({ note: z.string().max(80) }),
        response: Item,
        to: "notes",
      },
      "GET /api/notes/:id": { access: ownerField("user"), limit, params, response: Item, to: "notes" },
      "GET /api/notes/:id/print": {
        access: lookedUp,
        limit,
        params,
        response: z.object({ printed: z.string() }),
        to: "notes",
      },
      "PATCH /api/notes/:id": {
        access: lookedUp,
        limit,
        params,
        body: z.object({ note: z.string().max(80) }),
        response: Item,
        to: "notes",
      },
      "DELETE /api/notes/:id": { access: lookedUp, limit, params, response: Item, to: "notes" },
      "GET /api/users/:user/notes": {
        access: owner("user"),
        limit,
        params: { user: z.uuid() },
        response: z.object({ notes: z.array(Item) }),
        to: "notes",
      },
    },
  }),
);

async function check(of: Habit): Promise<AuditCheck> {
  habit = of;
  notes.clear();
  gone.clear();
  received = [];
  const nobodys = { id: crypto.randomUUID() };
  const each = { as: { alice: { params: nobodys }, bob: { params: nobodys } } };
  const plan = {
    identities: {
      alice: { subject: alice, token: async () => alice },
      bob: { subject: bob, token: async () => bob },
    },
    samples: {
      "POST /api/notes": { body: { note: "Rye, and nothing else" } },
      "GET /api/notes/:id": each,
      "GET /api/notes/:id/print": each,
      "PATCH /api/notes/:id": { ...each, body: () => ({ note: `Sliced ${crypto.randomUUID()}` }) },
      "DELETE /api/notes/:id": each,
    },
    upstreams: { notes: { received: async () => received } },
  };
  const target = new URL(origin);
  const { context, close } = await openContext({
    contract,
    plan,
    target,
    ca: own.ca,
    root: import.meta.dirname,
  });
  try {
    return await runCheck(sequences, "API-1", context);
  } finally {
    await close();
  }
}

test("what is nobody else's, and gone once it is deleted, passes: a list may take a moment", async () => {
  for (const fine of ["does as it says", "lists them a moment longer"] as const) {
    const { state, reason, evidence } = await check(fine);
    assert.equal(state, "passed", JSON.stringify([fine, reason, evidence], undefined, 1));
  }
});

for (const [faulty, about] of [
  [
    "tells in its 404 what it was",
    /^GET \/api\/notes\/:id: what alice deleted is gone, for alice too; its answer holds/m,
  ],
  [
    "goes on listing what is gone",
    /^GET \/api\/users\/:user\/notes: what alice deleted is not listed any more/m,
  ],
  ["goes on printing what is gone", /^GET \/api\/notes\/:id\/print: what alice deleted is gone/m],
  ["brings back what is changed", /^GET \/api\/notes\/:id: what alice deleted is gone/m],
  ["lists everybody's", /^GET \/api\/users\/:user\/notes: what alice just made is none of bob's/m],
  ["prints for anybody", /^GET \/api\/notes\/:id\/print: bob has no part in what alice just made/m],
  ["changes a moment after it refused", /^GET \/api\/notes\/:id: after that alice still reads what it was/m],
  [
    "passes on what it refuses",
    /^PATCH \/api\/notes\/:id: what comes to notes of those who have no part in it/m,
  ],
] as const)
  test(`a site that ${faulty} is found`, async () => {
    const { state, evidence } = await check(faulty);
    assert.equal(state, "failed");
    assert.match(evidence.map((seen) => seen.about).join("\n"), about);
  });
