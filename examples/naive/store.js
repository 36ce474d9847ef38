// What the picture house knows: films, tickets and reviews, in a database that lasts as long as the process.
import { DatabaseSync } from "node:sqlite";

const database = new DatabaseSync(":memory:");
database.exec(`
  CREATE TABLE films (id TEXT, title TEXT, minutes INTEGER, distributorTerms TEXT);
  CREATE TABLE tickets (id TEXT, userId TEXT, film TEXT, seat TEXT, doorNote TEXT);
  CREATE TABLE reviews (film TEXT, text TEXT);
`);

const films = [
  ["the-long-tide", "The Long Tide", 104, "share-canary-of-the-long-tide"],
  ["lanterns", "Lanterns", 92, "share-canary-of-lanterns"],
  ["north-by-bicycle", "North by Bicycle", 121, "share-canary-of-north-by-bicycle"],
];
const tickets = [
  ["5b7c1f6e-8a52-4b0f-9d31-0c6f2b1a7e01", "0d9a4c52-1f57-4d0e-8f2a-6a1f5f3f0a11", "lanterns", "C7"],
  ["5b7c1f6e-8a52-4b0f-9d31-0c6f2b1a7e02", "0d9a4c52-1f57-4d0e-8f2a-6a1f5f3f0a22", "the-long-tide", "F2"],
];
const newFilm = database.prepare("INSERT INTO films VALUES (?, ?, ?, ?)");
for (const film of films) newFilm.run(...film);
const newTicket = database.prepare("INSERT INTO tickets VALUES (?, ?, ?, ?, 'door-canary-of-a-ticket')");
for (const ticket of tickets) newTicket.run(...ticket);

export const allFilms = () => database.prepare("SELECT * FROM films").all();
export const allTickets = () => database.prepare("SELECT * FROM tickets").all();
export const ticketOf = (id) => database.prepare("SELECT * FROM tickets WHERE id = ?").get(id);
export const ticketsOf = (user) => database.prepare("SELECT * FROM tickets WHERE userId = ?").all(user);
export const addReview = (film, text) =>
  database.prepare("INSERT INTO reviews VALUES (?, ?)").run(film ?? null, String(text ?? ""));
export const countReviews = () => database.prepare("SELECT count(*) AS reviews FROM reviews").get();

/** Mistake: the visitor's words become part of the statement. */
export const filmsLike = (words) =>
  database.prepare(`SELECT * FROM films WHERE title LIKE '%${words}%'`).all();
