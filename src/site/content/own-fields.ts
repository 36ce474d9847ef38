import type { Schema } from "../../contract/index.ts";

/** Fields of front matter that are the build's, whatever a collection's schema has. */
export interface OwnFields {
  /** Only built when drafts are asked for. */
  readonly draft: boolean;
  /** Addresses that the page had before. */
  readonly aliases: readonly string[];
}

/** {@link OwnFields} and what is left, or which of them is wrong. */
export type TakenFields =
  | { own: OwnFields; rest: Readonly<Record<string, unknown>>; wrong?: undefined }
  | { own: undefined; rest?: undefined; wrong: { name: string; message: string } };

/** Takes the build's own fields out of front matter. What a schema declares itself it gets, too. */
export function takeOwnFields(fields: Readonly<Record<string, unknown>>, schema: Schema): TakenFields {
  const { draft = false, aliases = [] } = fields;
  if (!Object.hasOwn(fields, "draft") && !Object.hasOwn(fields, "aliases"))
    return { own: none, rest: fields };
  const addresses: unknown[] =
    typeof aliases === "string" ? [aliases] : Array.isArray(aliases) ? aliases : [0];
  if (typeof draft !== "boolean")
    return { own: undefined, wrong: { name: "draft", message: "it is true or false" } };
  if (!addresses.every(isAddress)) {
    const message = "it is a list of paths of this site, like  aliases: [/old/address/]";
    return { own: undefined, wrong: { name: "aliases", message } };
  }
  const left = Object.entries(fields).filter(
    ([name]) => (name !== "draft" && name !== "aliases") || declares(schema, name),
  );
  return { own: { draft, aliases: addresses }, rest: Object.fromEntries(left) };
}

const none: OwnFields = { draft: false, aliases: [] };

const isAddress = (value: unknown): value is string =>
  typeof value === "string" && /^\/(?:[A-Za-z0-9_~][A-Za-z0-9._~-]*(?:\/|$))*$/.test(value);

function declares(schema: Schema, name: string): boolean {
  // oxlint-disable-next-line no-underscore-dangle -- where Zod keeps what a schema is made of
  const { shape } = schema._zod.def as { shape?: object };
  return shape !== undefined && Object.hasOwn(shape, name);
}
