import type { Schema } from "../define/schema.ts";
import { nearest } from "../../shared/index.ts";
import type { Problems } from "./problems.ts";

/** Options by name, of which nothing is known yet. */
export type Members = Readonly<Record<string, unknown>>;

/** Whether options can be written in it by their names; nothing of a Map, a Set or a Date would be seen. */
export const isMembers = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value) && builtIn(value) === undefined;

/** What a value is of JavaScript's own beside plain objects and lists: `Map`. */
function builtIn(value: object): string | undefined {
  const tag = Object.prototype.toString.call(value).slice("[object ".length, -1);
  return ["Object", "Array", "Module"].includes(tag) ? undefined : tag;
}

export const isSchema = (value: unknown): value is Schema => isMembers(value) && "_zod" in value;

/** Shows a value in an error. */
export function quote(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "function") return "a function";
  if (isSchema(value)) return "a Zod schema";
  const kind = typeof value === "object" && value !== null ? builtIn(value) : undefined;
  if (kind !== undefined) return `a ${kind}`;
  const text = asJson(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** Whatever a contract holds can be quoted in an error, what JSON can't write too. */
function asJson(value: unknown): string {
  try {
    return (
      JSON.stringify(value, (_, member: unknown) => (isSchema(member) ? "a Zod schema" : member)) ??
      String(value)
    );
  } catch {
    return typeof value === "bigint" ? `${value}n` : "an object";
  }
}

/** Tells of every option that does not exist, and which one was probably meant. */
export function checkNames(
  problems: Problems,
  where: string,
  value: Members,
  known: readonly string[],
): void {
  for (const name of Object.keys(value)) {
    if (known.includes(name)) continue;
    const close = nearest(name, known);
    problems.add(
      "CONTRACT_OPTION_UNKNOWN",
      `${where}: there is no option "${name}".`,
      close === undefined
        ? `Options: ${known.filter((option) => option !== "kind").join(", ")}`
        : `Did you mean "${close}"?`,
    );
  }
}

/** Reads a part of the contract that is an object of options; the hint is what one looks like. */
export function section(
  problems: Problems,
  where: string,
  value: unknown,
  known: readonly string[],
  hint?: string,
): Members | undefined {
  if (value === undefined) return undefined;
  if (!isMembers(value))
    return problems.add("CONTRACT_OPTION_INVALID", `${where} must be an object, not ${quote(value)}.`, hint);
  checkNames(problems, where, value, known);
  return value;
}

export function text(problems: Problems, where: string, value: unknown): string {
  if (typeof value === "string" && value !== "") return value;
  problems.add(
    "CONTRACT_OPTION_INVALID",
    value === "" ? `${where} is empty.` : `${where} must be a text, not ${quote(value)}.`,
  );
  return "";
}

export function optionalText(problems: Problems, where: string, value: unknown): string | undefined {
  return value === undefined ? undefined : text(problems, where, value);
}

interface NumberRange {
  min: number;
  max: number;
  fallback: number;
}

export function number(
  problems: Problems,
  where: string,
  value: unknown,
  { min, max, fallback }: NumberRange,
): number {
  if (value === undefined) return fallback;
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
  problems.add(
    "CONTRACT_OPTION_INVALID",
    `${where} must be a whole number from ${min} to ${max}, not ${quote(value)}.`,
  );
  return fallback;
}

/** Reads what is either so or not, and by default is not. */
export function flag(problems: Problems, where: string, value: unknown): boolean {
  if (value !== undefined && typeof value !== "boolean")
    problems.add("CONTRACT_OPTION_INVALID", `${where} must be true or false, not ${quote(value)}.`);
  return value === true;
}

/** Reads an option that weakens a default: its value is the reason. Returns whether it was given. */
export function weakened(
  problems: Problems,
  at: string,
  reason: unknown,
  hint = `${at.split(".").at(-1)}: "listens on loopback only"`,
): boolean {
  if (reason === undefined) return false;
  if (typeof reason !== "string" || reason.trim().length < 8) {
    problems.add("CONTRACT_REASON_MISSING", `${at} must say why that is safe here, in words.`, hint);
    return false;
  }
  problems.weakenings.push({ at, reason });
  return true;
}

/** Whether something is a way through objects: names of fields. */
export const isFields = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((field) => typeof field === "string" && field !== "");
