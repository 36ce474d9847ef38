// A picture house: films, tickets, reviews. It works, and nearly everything that can be forgotten is. Each region between [name] and [/name]
// holds one mistake; README.md says which check finds it. Nobody should put this on a network.
import { createHmac, createPublicKey, createVerify } from "node:crypto";
import { createServer } from "node:http";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import express from "express";
import { addReview, allFilms, allTickets, countReviews, filmsLike, ticketOf, ticketsOf } from "./store.js";

const app = express();

// [headers] A policy that forbids next to nothing, and no other header.
const policy =
  "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; img-src *; connect-src *";
app.use((request, response, next) => {
  response.set("Content-Security-Policy", policy);
  next();
});
// [/headers]

// [cors] Whoever asks is allowed, with cookies; caches are not told that the answer depends on who asked.
app.use((request, response, next) => {
  if (request.headers.origin) {
    response.set("Access-Control-Allow-Origin", request.headers.origin);
    response.set("Access-Control-Allow-Credentials", "true");
    response.set("Access-Control-Allow-Methods", "GET, POST");
    response.set("Access-Control-Allow-Headers", "Content-Type, Authorization");
  }
  next();
});
// [/cors]

// [limits] The client is who it says it is, and without a proxy everybody is the same one. What is counted is never forgotten.
const seen = new Map();
app.use("/api/search", (request, response, next) => {
  const client = request.headers["x-forwarded-for"] ?? "127.0.0.1";
  const entry = seen.get(client) ?? { count: 0, since: Date.now() };
  if (Date.now() - entry.since > 5000) Object.assign(entry, { count: 0, since: Date.now() });
  entry.count++;
  seen.set(client, entry);
  if (entry.count > 40) return response.status(429).send("Too many requests");
  next();
});
// [/limits]

// [body] As much as 20 MB of any JSON, whatever the request says it is.
app.use("/api", express.json({ limit: "20mb", type: () => true, strict: false }));
// [/body]

// [tokens] The token says how it is to be verified, and for whom, by whom and until when is not looked at.
const { keys } = await (await fetch(`${process.env.NAIVE_LOGIN ?? "http://127.0.0.1:3001"}/keys`)).json();
const publicPem = createPublicKey({ key: keys[0], format: "jwk" }).export({ type: "spki", format: "pem" });

function signedIn(request, response, next) {
  const token = (request.headers.authorization ?? "").replace("Bearer ", "");
  const [head, body, signature] = token.split(".");
  const text = `${head}.${body}`;
  const { alg } = JSON.parse(Buffer.from(head, "base64url").toString());
  const checks = {
    none: () => true,
    HS256: () => createHmac("sha256", publicPem).update(text).digest("base64url") === signature,
    RS256: () => createVerify("RSA-SHA256").update(text).verify(publicPem, signature, "base64url"),
  };
  if (!checks[alg]?.()) return response.status(401).send("Invalid token");
  const claims = JSON.parse(Buffer.from(body, "base64url").toString());
  request.user = { id: claims.sub, roles: claims.roles ?? [] };
  next();
}
// [/tokens]

// [answers] Rows leave as they lie in the database, with what is nobody's business.
const film = (row) => row;
const ticket = (row) => row;
// [/answers]

// [input] Nothing is looked at before it is used.
const checked = () => (request, response, next) => next();
// [/input]

// [access] Who is signed in may see everybody's.
const mayHave = () => true;
const isOffice = () => true;
// [/access]

app.get("/api/films", checked("films"), (request, response) => {
  response.json({ films: allFilms().map(film) });
});

app.get("/api/users/:user/tickets", signedIn, checked("userTickets"), (request, response) => {
  if (!mayHave(request.user, request.params.user)) return response.sendStatus(404);
  response.json({ tickets: ticketsOf(request.params.user).map(ticket) });
});

app.get("/api/tickets/:id", signedIn, checked("ticket"), (request, response) => {
  const found = ticketOf(request.params.id);
  if (found === undefined || !mayHave(request.user, found.userId)) return response.sendStatus(404);
  response.json(ticket(found));
});

app.get("/api/office/tickets", signedIn, checked("officeTickets"), (request, response) => {
  if (!isOffice(request.user)) return response.sendStatus(403);
  response.json({ tickets: allTickets().map(ticket) });
});

app.post("/api/reviews", checked("review"), (request, response) => {
  addReview(request.body.film, request.body.text);
  response.json({ received: true });
});

app.get("/api/reviews", checked("reviews"), (request, response) => {
  response.json({ ...countReviews() });
});

app.get("/api/search", checked("search"), (request, response) => {
  response.json({ films: filmsLike(request.query.words).map(film) });
});

// [methods] A path that has no such method is one that does not exist.
// [/methods]

// [files] The folder that is published is the folder of the project.
const folder = dirname(fileURLToPath(import.meta.url));
app.use(express.static(`${folder}/public`));
app.use(express.static(folder, { dotfiles: "allow" }));
// [/files]

// [errors] What Express says by itself: where it happened, in whose file, with which statement.
// [/errors]

// [server] Plain HTTP, and all the time in the world.
createServer({ headersTimeout: 0, requestTimeout: 0 }, app).listen(
  Number(process.env.PORT ?? 3000),
  "127.0.0.1",
  function () {
    console.log(`The picture house, which is audited: http://127.0.0.1:${this.address().port}`);
  },
);
// [/server]
