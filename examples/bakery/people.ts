/** Somebody with an account at the bakery. */
export interface Person {
  /** The `sub` of their tokens, and their id in the shop's database. */
  readonly id: string;
  readonly username: string;
  readonly name: string;
  readonly email: string;
  readonly roles: readonly string[];
  /** The kitchen that they order for, if they do. */
  readonly kitchen?: string;
}

/** A customer, who orders for a café too. */
export const alice = {
  id: "3f9d6c1e-8a47-4b52-9c0e-5d21b7f4a610",
  username: "alice",
  name: "Alice Ferrand",
  email: "alice@example.com",
  roles: [],
  kitchen: "lock-cafe",
} as const satisfies Person;

/** Another customer, who orders for the school and must never see what is Alice's, or her café's. */
export const bob = {
  id: "b7a2e480-1c5d-4f36-a9e8-60c4d3125f97",
  username: "bob",
  name: "Bob Nakamura",
  email: "bob@example.com",
  roles: [],
  kitchen: "ottersby-school",
} as const satisfies Person;

/** Works behind the counter. */
export const marta: Person = {
  id: "c04e51d9-7b28-4d6a-8f13-92ab6e7d0c35",
  username: "marta",
  name: "Marta Lindqvist",
  email: "marta@example.com",
  roles: ["staff"],
};

/** A customer who loses telephones. What they were signed in with is revoked then, and whenever the audit tries whether that works. */
export const jonas: Person = {
  id: "8d14f7b3-6c20-4e9a-b5d8-37e90a1c62f4",
  username: "jonas",
  name: "Jonas Okafor",
  email: "jonas@example.com",
  roles: [],
};

/** Everybody with an account. */
export const people: readonly Person[] = [alice, bob, marta, jonas];

/** The password of all accounts: this is a demonstration, and everybody may know it. */
export const demonstrationPassword = "bread and butter";
