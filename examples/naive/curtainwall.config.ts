// What should hold of the picture house. Nothing enforces it: the audit holds the app to it from outside.
import { defineStack, everyone, owner, ownerField, role, upstream } from "curtainwall";
import { z } from "zod";
import { appAddress, loginAddress } from "./addresses.ts";

const onlyHere = "the example never leaves this machine";
const Film = z.object({
  id: z.string().max(40),
  title: z.string().max(80),
  minutes: z.int().min(1).max(600),
});
const Ticket = z.object({
  id: z.uuid(),
  userId: z.uuid(),
  film: z.string().max(40),
  seat: z.string().max(4),
});
const Tickets = z.object({ tickets: z.array(Ticket).max(100) });

export default defineStack({
  origin: "https://harbour.example",
  cors: { origins: ["https://box-office.harbour.example"] },
  site: { dist: "public" },
  identity: {
    issuer: loginAddress(),
    jwksUrl: `${loginAddress()}/keys`,
    audience: "tickets",
    algorithms: ["RS256"],
    clockToleranceSeconds: 0,
    insecureAllowHttp: onlyHere,
  },
  upstreams: { app: upstream({ url: appAddress(), insecureAllowHttp: onlyHere }) },
  routes: {
    "GET /api/films": {
      summary: "What is shown",
      access: everyone,
      limit: "120/min per client",
      response: z.object({ films: z.array(Film).max(100) }),
      to: "app",
    },
    "GET /api/users/:user/tickets": {
      summary: "A visitor's own tickets",
      access: owner("user"),
      limit: "120/min per client",
      params: { user: z.uuid() },
      response: Tickets,
      to: "app",
    },
    "GET /api/tickets/:id": {
      summary: "One ticket, for whose it is",
      access: ownerField("userId"),
      limit: "120/min per client",
      params: { id: z.uuid() },
      response: Ticket,
      to: "app",
    },
    "GET /api/office/tickets": {
      summary: "All tickets, for the office",
      access: role("office"),
      limit: "120/min per client",
      response: Tickets,
      to: "app",
    },
    "POST /api/reviews": {
      summary: "Say what it was like",
      access: everyone,
      limit: "120/min per client",
      body: z.object({ film: z.string().min(1).max(40), text: z.string().min(1).max(2000) }),
      maxBodyBytes: 16_384,
      response: z.object({ received: z.boolean() }),
      to: "app",
    },
    "GET /api/reviews": {
      summary: "How many have said so",
      access: everyone,
      limit: "120/min per client",
      response: z.object({ reviews: z.int().min(0) }),
      to: "app",
    },
    "GET /api/search": {
      summary: "Find a film by words of its title",
      access: everyone,
      limit: "40/5s per client",
      query: { words: z.string().min(1).max(60) },
      response: z.object({ films: z.array(Film).max(100) }),
      to: "app",
    },
  },
});
