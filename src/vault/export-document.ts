import type { EnvironmentName } from "../contract/index.ts";
import { fromBase64, toBase64 } from "../shared/index.ts";
import { isSecretName, maxNames, maxValueBytes } from "./names.ts";

/** What an export says: all current values of a store, and where they are from. */
export interface ExportDocument {
  readonly project: string;
  readonly environment: EnvironmentName;
  readonly exportedMs: number;
  readonly secrets: readonly ExportedSecret[];
}

export interface ExportedSecret {
  readonly name: string;
  /** The one that it had in the store that it is from. */
  readonly version: number;
  readonly value: Uint8Array;
}

const format = "curtainwall-vault-export";
const formatVersion = 1;

/** Writes an export as JSON that a person can read: values that are text as text, others in base64. */
export function writeDocument({ project, environment, exportedMs, secrets }: ExportDocument): Uint8Array {
  const document = {
    format,
    version: formatVersion,
    project,
    environment,
    exported: new Date(exportedMs).toISOString(),
    secrets: secrets.map(({ name, version, value }) => ({ name, version, ...writeValue(value) })),
  };
  return new TextEncoder().encode(`${JSON.stringify(document, undefined, 2)}\n`);
}

function writeValue(value: Uint8Array): { encoding: "utf8" | "base64"; value: string } {
  try {
    return { encoding: "utf8", value: strictUtf8.decode(value) };
  } catch {
    return { encoding: "base64", value: toBase64(value) };
  }
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads an export. A text says what is wrong with it, and nothing of what stands in it. */
export function readDocument(bytes: Uint8Array): ExportDocument | string {
  const document = parse(bytes);
  if (document === undefined || document.format !== format) return "It holds no export of a store.";
  if (document.version !== formatVersion)
    return `Its format is not version ${formatVersion}: it was made by another version of Curtainwall.`;
  const { project, environment, exported, secrets } = document;
  const exportedMs = typeof exported === "string" ? Date.parse(exported) : Number.NaN;
  if (typeof project !== "string" || !isEnvironment(environment) || Number.isNaN(exportedMs))
    return "It does not say which project and environment it is from.";
  if (!Array.isArray(secrets) || secrets.length > maxNames) return "It holds no list of secrets.";
  const read = secrets.map(readSecret);
  const wrong = read.indexOf(undefined);
  if (wrong >= 0)
    return `Its secret number ${wrong + 1} has no name, or no value of 1 to ${maxValueBytes} bytes.`;
  const whole = read.filter((secret) => secret !== undefined);
  if (new Set(whole.map(({ name }) => name)).size < whole.length) return "It has a name twice.";
  return { project, environment, exportedMs, secrets: whole };
}

function parse(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(strictUtf8.decode(bytes));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    // The parser's own error quotes what it read.
    return undefined;
  }
}

/** The contract's own list would bring all of the contract into the one process that holds the keys. */
const environments: readonly unknown[] = ["development", "preview", "production"] satisfies EnvironmentName[];

const isEnvironment = (value: unknown): value is EnvironmentName => environments.includes(value);

function readSecret(entry: unknown): ExportedSecret | undefined {
  if (typeof entry !== "object" || entry === null) return undefined;
  const { name, version, encoding, value } = entry as Record<string, unknown>;
  if (typeof name !== "string" || !isSecretName(name) || typeof value !== "string") return undefined;
  if (typeof version !== "number" || !Number.isSafeInteger(version)) return undefined;
  const bytes =
    encoding === "utf8"
      ? new TextEncoder().encode(value)
      : encoding === "base64"
        ? fromBase64(value)
        : undefined;
  const isSized = bytes !== undefined && bytes.length > 0 && bytes.length <= maxValueBytes;
  return isSized ? { name, version, value: bytes } : undefined;
}
