/** Somebody with an account at the bakery. */
export interface Person {
  /** The `sub` of their tokens, and their id in the shop's database. */
  readonly id: string;
  readonly username: string;
  readonly name: string;
  readonly email: string;
  readonly roles: readonly string[];
}

/** A customer. */
export const alice: Person = {
  id: "3f9d6c1e-8a47-4b52-9c0e-5d21b7f4a610",
  username: "alice",
  name: "Alice Ferrand",
  email: "alice@example.com",
  roles: [],
};

/** Another customer, who must never see what is Alice's. */
export const bob: Person = {
  id: "b7a2e480-1c5d-4f36-a9e8-60c4d3125f97",
  username: "bob",
  name: "Bob Nakamura",
  email: "bob@example.com",
  roles: [],
};

/** Works behind the counter. */
export const marta: Person = {
  id: "c04e51d9-7b28-4d6a-8f13-92ab6e7d0c35",
  username: "marta",
  name: "Marta Lindqvist",
  email: "marta@example.com",
  roles: ["staff"],
};

/** Everybody with an account. */
export const people: readonly Person[] = [alice, bob, marta];

/** The password of all accounts: this is a demonstration, and everybody may know it. */
export const demonstrationPassword = "bread and butter";
