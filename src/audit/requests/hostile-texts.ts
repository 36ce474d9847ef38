import type { MutantKind } from "../mutate/mutate.ts";

/** Texts that attacks consist of, and what a schema that refuses one protects against. */
export const hostileTexts: readonly (readonly [name: string, kind: MutantKind, value: string])[] = [
  ["2 000 characters", "bounds", "a".repeat(2000)],
  ["a NUL", "type", "a\0b"],
  ["a path upwards", "type", "../../etc/passwd"],
  ["a quote and SQL", "type", "1' OR '1'='1"],
  ["markup", "type", "<script>alert(1)</script>"],
  ["a line break", "type", "a\r\nx-injected: 1"],
  ["a number far out of range", "bounds", "-99999999999999999999"],
  ["__proto__", "prototype key", "__proto__"],
];
