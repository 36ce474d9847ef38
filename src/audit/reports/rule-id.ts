/** A check's name as programs keep it: `API-1/no-token`. Stays as long as the row and the check's name do. */
export function ruleId(row: string, check: string): string {
  const slug = check
    .slice(0, 200)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
  return `${row}/${slug}`;
}
