import { z } from "zod";
import { CurtainwallError, Secret } from "../shared/index.ts";
import type { Contract } from "./contract.ts";
import type { Schema } from "./define/schema.ts";

/** Environment variables, like `process.env`. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** Which environment variables a site reads; every default filled in. */
export interface ContractEnvironment {
  /** Values that visitors may know, by name. */
  readonly public: ReadonlyMap<string, Schema>;
  /** Values that must not leave, by name. */
  readonly private: ReadonlyMap<string, Schema>;
}

/** What {@link readEnvironment} reads by. */
export interface EnvironmentSchemas<Public extends z.core.$ZodObject, Private extends z.core.$ZodObject> {
  publicEnv?: Public;
  privateEnv?: Private;
}

/** A site's environment, typed; see {@link readEnvironment}. */
export interface Environment<Public extends z.core.$ZodObject, Private extends z.core.$ZodObject> {
  readonly public: Readonly<z.output<Public>>;
  readonly private: { readonly [Name in keyof z.input<Private> & string]: Secret };
}

type Empty = z.core.$ZodObject<Readonly<Record<string, never>>>;

/**
 * Gives typed access to the environment: public values as their schemas make them, private ones each as a {@link Secret}. A value is
 * read and checked when it is asked for, so that a process that asks for no private one need not have any.
 *
 * @throws {CurtainwallError} `CONTRACT_ENVIRONMENT_INVALID` when a value is asked for and is missing or malformed; names the
 *   variable, never its value
 *
 * @example
 * ```ts
 * import { readEnvironment } from "curtainwall";
 * import { z } from "zod";
 *
 * export const publicEnv = z.object({ SHOP_NAME: z.string().max(40) });
 * export const privateEnv = z.object({ CMS_TOKEN: z.string().min(20) });
 * export const env = readEnvironment({ publicEnv, privateEnv }, process.env);
 *
 * export const title = (): string => env.public.SHOP_NAME;
 * ```
 */
export function readEnvironment<
  Public extends z.core.$ZodObject = Empty,
  Private extends z.core.$ZodObject = Empty,
>(
  { publicEnv, privateEnv }: EnvironmentSchemas<Public, Private>,
  variables: Variables,
): Environment<Public, Private> {
  const publicValues = lazily(publicEnv, (name, schema) => valueOf(name, schema, variables));
  const privateValues = lazily(
    privateEnv,
    (name, schema) => new Secret(String(valueOf(name, schema, variables))),
  );
  return { public: publicValues, private: privateValues } as Environment<Public, Private>;
}

function lazily(
  schema: z.core.$ZodObject | undefined,
  read: (name: string, schema: Schema) => unknown,
): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(schema?._zod.def.shape ?? {}))
    Object.defineProperty(values, name, { enumerable: true, get: () => read(name, member) });
  return Object.freeze(values);
}

function valueOf(name: string, schema: Schema, variables: Variables): unknown {
  const result = z.safeParse(schema, variables[name]);
  if (result.success) return result.data;
  throw environmentError([problemOf(name, variables[name])]);
}

/** A schema's own message may quote the value: none is passed on. */
const problemOf = (name: string, value: string | undefined): string =>
  value === undefined || value === ""
    ? `${name} is not set`
    : `${name} is set, and not as its schema describes it`;

function environmentError(problems: readonly string[]): CurtainwallError {
  return new CurtainwallError(
    "CONTRACT_ENVIRONMENT_INVALID",
    problems.length === 1
      ? `The environment variable ${problems[0]}.`
      : `The environment has ${problems.length} problems.\n  ${problems.join("\n  ")}`,
    {
      hint: "Set it where this runs; publicEnv and privateEnv in the contract say which variables there are, and what they look like",
    },
  );
}

/**
 * Checks all that a contract declares about its environment, and tells everything that is wrong in one error.
 *
 * @throws {CurtainwallError} `CONTRACT_ENVIRONMENT_INVALID`; names variables, never a value
 */
export function assertEnvironment(
  { environment }: Pick<Contract, "environment">,
  variables: Variables,
): void {
  const problems: string[] = [];
  for (const [name, schema] of [...environment.public, ...environment.private])
    if (!z.safeParse(schema, variables[name]).success) problems.push(problemOf(name, variables[name]));
  for (const name of environment.public.keys()) {
    const value = variables[name];
    if (value === undefined || value === "") continue;
    for (const other of environment.private.keys())
      if (variables[other] === value)
        problems.push(`${name} is public and has the value of ${other}, which is private`);
  }
  if (problems.length > 0) throw environmentError(problems);
}

/** A value that must not be in any output, and the name that it may be told by. */
export interface GuardedValue {
  readonly name: string;
  readonly value: Secret;
  /** `private-value`: the contract declares it private. `environment-value`: it declares it not at all. */
  readonly rule: "private-value" | "environment-value";
}

/** Names that say that their value is one to keep. */
const telling =
  /(?:^|_)(?:API_?)?(?:KEY|TOKEN|SECRET|PASS|PASSWORD|PASSWD|PASSPHRASE|PWD|CREDENTIALS?|PRIVATE|DSN|AUTH|SALT|COOKIE)(?:_|$)|authtoken|_password/i;
/** Names of that form whose values are no secrets. */
const innocent = /^(?:SSH_AUTH_SOCK|XAUTHORITY|PWD|OLDPWD|INIT_CWD)$|PUBLIC_KEY$/;
/** Whether a name says that its value is one to keep. */
export const looksSecretName = (name: string): boolean => telling.test(name) && !innocent.test(name);

/**
 * The values of an environment that no output may show: those that the contract declares private, and those that it does not declare
 * and whose name, or whose password in an address, tells that they are secrets. They are only wrapped here, not looked at.
 */
export function guardedValues(
  { environment }: Pick<Contract, "environment">,
  variables: Variables,
): GuardedValue[] {
  const published = new Set([...environment.public.keys()].map((name) => variables[name]));
  const guarded: GuardedValue[] = [];
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined || value === "" || environment.public.has(name) || published.has(value)) continue;
    if (environment.private.has(name))
      guarded.push({ name, value: new Secret(value), rule: "private-value" });
    else if (looksSecret(name, value) || wouldBePublished(name, environment))
      guarded.push({ name, value: new Secret(value), rule: "environment-value" });
  }
  return guarded;
}

const looksSecret = (name: string, value: string): boolean =>
  looksSecretName(name) || /^[a-z][\w+.-]*:\/\/[^/@\s]*:[^/@\s]+@/i.test(value);

/** What bundlers publish a variable by. */
export const publicPrefixes: readonly string[] = [
  "VITE_",
  "NEXT_PUBLIC_",
  "NUXT_PUBLIC_",
  "PUBLIC_",
  "REACT_APP_",
  "VUE_APP_",
  "GATSBY_",
  "EXPO_PUBLIC_",
  "STORYBOOK_",
];

/** A bundler would publish it, and the contract, which says what is public, does not name it. */
const wouldBePublished = (name: string, environment: ContractEnvironment): boolean =>
  environment.public.size > 0 && publicPrefixes.some((prefix) => name.startsWith(prefix));
