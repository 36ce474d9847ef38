/** Schemes that content's addresses may have, by attribute. */
export const addressSchemes = {
  href: ["https", "http", "mailto", "tel"],
  src: ["https"],
} as const satisfies Record<string, readonly string[]>;

/** Whether an address has one of these schemes, in small letters, or none: what hast-util-sanitize keeps. */
export function isKeptAddress(address: string, schemes: readonly string[]): boolean {
  const colon = address.indexOf(":");
  if (colon < 0) return true;
  const end = address.search(/[/?#]/);
  if (end >= 0 && end < colon) return true;
  return schemes.includes(address.slice(0, colon));
}
