import type { z } from "zod";

/** Any Zod 4 schema. */
export type Schema = z.core.$ZodType;

/** Schemas by name: of path parameters, or of query keys. */
export type Fields = Readonly<Record<string, Schema>>;

/** Says that a route has no body, or answers without one (204). */
export const none = "none" as const;

/** Type of {@link none}. */
export type None = typeof none;
