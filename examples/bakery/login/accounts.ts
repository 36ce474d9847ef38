import { argon2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import type { Person } from "../people.ts";

const derive = promisify(argon2);

/** OWASP's smallest recommended setting for Argon2id. */
const cost = { parallelism: 1, tagLength: 32, memory: 19_456, passes: 2 } as const;

interface Stored {
  readonly person: Person;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** The people who can sign in. */
export interface Accounts {
  /** Finds somebody by their `sub`. */
  find(id: string): Person | undefined;
  /** Returns who it is if the password is theirs. Takes as long for a name that nobody has. */
  verify(username: string, password: string): Promise<Person | undefined>;
}

/** Makes accounts that all have one password, which is kept as an Argon2id hash. */
export async function createAccounts(people: readonly Person[], password: string): Promise<Accounts> {
  const store = async (person: Person): Promise<Stored> => {
    const salt = randomBytes(16);
    return { person, salt, hash: await hashOf(password, salt) };
  };
  const stored = await Promise.all(people.map(store));
  const nobody = { salt: randomBytes(16), hash: randomBytes(cost.tagLength) };
  return {
    find: (id) => people.find((person) => person.id === id),
    verify: async (username, given) => {
      const account = stored.find(({ person }) => person.username === username.trim().toLowerCase());
      const { salt, hash } = account ?? nobody;
      return timingSafeEqual(await hashOf(given, salt), hash) ? account?.person : undefined;
    },
  };
}

async function hashOf(password: string, salt: Buffer): Promise<Buffer> {
  return derive("argon2id", { ...cost, message: Buffer.from(password.normalize("NFC")), nonce: salt });
}
