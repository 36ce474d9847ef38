import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { EnvironmentName, Variables } from "../../contract/index.ts";
import { CurtainwallError, isExampleEnvironment, privateKind } from "../../shared/index.ts";
import type { StackErrorCode } from "../errors.ts";
import type { LoadedContract } from "../contract/load-contract.ts";

/** A declared secret whose value also lies where it should not. */
export interface PlainSecret {
  readonly name: string;
  /** `the environment`, or a file and line: `.env.production:7`. */
  readonly where: string;
}

/** Larger files are no environment files. */
const maxFileBytes = 1_048_576;
/** As dotenv, direnv and shells read it; the first line of a file may begin with a byte order mark. */
const assignment = /^[\s\uFEFF]*(?:export\s+)?([A-Za-z][A-Za-z0-9_]{0,63})(?:\s*=|:\s)\s*([^\n]*)$/;
/** An empty value, quoted or followed by a comment, gives nothing away. */
const nothing = /^(?:""|'')?[ \t]*(?:#.*)?$/;

/** Finds values of declared secrets in the environment and in `.env` files beside the contract. Gives names and places, never a value. */
export function findPlainSecrets(
  { contract, root }: Pick<LoadedContract, "contract" | "root">,
  variables: Variables,
): PlainSecret[] {
  const names = [...contract.secrets.keys()];
  if (names.length === 0) return [];
  const inEnvironment = Object.entries(variables)
    .filter(([, value]) => (value ?? "") !== "")
    .flatMap(([variable]) => {
      const name = variable.toUpperCase();
      const where = variable === name ? "the environment" : `the environment, as ${variable}`;
      return contract.secrets.has(name) ? [{ name, where }] : [];
    });
  const inFiles = readdirSync(root)
    .filter((file) => privateKind(file) === "environment" && !isExampleEnvironment(file))
    .sort()
    .flatMap((file) => inFile(root, file, contract.secrets));
  return [...inFiles, ...inEnvironment];
}

function inFile(root: string, file: string, secrets: ReadonlyMap<string, unknown>): PlainSecret[] {
  return readLines(join(root, file)).flatMap((line, index) => {
    const [, written = "", value = ""] = assignment.exec(line) ?? [];
    const name = written.toUpperCase();
    const isPlain = secrets.has(name) && !nothing.test(value.trimEnd());
    return isPlain ? [{ name, where: `${file}:${index + 1}` }] : [];
  });
}

function readLines(path: string): string[] {
  try {
    const stats = statSync(path);
    return stats.isFile() && stats.size <= maxFileBytes ? readFileSync(path, "utf8").split(/\r?\n/) : [];
  } catch {
    // Who can't read it can't be given its values either.
    return [];
  }
}

/**
 * Refuses to go on in production while values of declared secrets lie in the environment or in files; elsewhere warns.
 *
 * @throws {CurtainwallError} `STACK_SECRET_IN_ENVIRONMENT`
 */
export function assertNoPlainSecrets(
  loaded: Pick<LoadedContract, "contract" | "root">,
  environment: EnvironmentName,
  { variables, warn }: { variables: Variables; warn: (message: string) => void },
): void {
  const found = findPlainSecrets(loaded, variables);
  const [first] = found;
  if (first === undefined) return;
  const message = `Values of secrets lie where every process can have them: ${found.map(({ name, where }) => `${name} in ${where}`).join(", ")}.`;
  const hint = wayOut(first, environment);
  if (environment !== "production") return warn(`${message} ${hint}`);
  throw new CurtainwallError<StackErrorCode>("STACK_SECRET_IN_ENVIRONMENT", message, { hint });
}

function wayOut({ name, where }: PlainSecret, environment: EnvironmentName): string {
  const set = `npx curtainwall secret set ${name} --environment ${environment}`;
  const variable = /^the environment(?:, as (.*))?$/.exec(where);
  return variable !== null
    ? `Put it into the vault:  printenv ${variable[1] ?? name} | ${set}   and take it out of what starts this`
    : `Put it into the vault:  ${set}   and delete the line ${where}; if it was ever committed, have a new one issued`;
}
