/** As the contract names secrets, which is as environment variables are named. */
const nameGrammar = /^[A-Z][A-Z0-9_]{0,63}$/;

/** Tells whether a secret may have this name. */
export const isSecretName = (name: string): boolean => nameGrammar.test(name);

/** Bytes that a value may have: a key, a certificate with its chain; no file of data. */
export const maxValueBytes = 65_536;
/** Names that a store may have. Each reading checks all of it. */
export const maxNames = 1_000;
/** Versions of a name that are remembered; the oldest goes first. */
export const keptVersions = 64;
