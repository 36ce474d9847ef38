import type { Header } from "./security-headers.ts";

/** The name that our policies have for the endpoint. Not `default`, which would get every kind of report. */
const endpoint = "csp";

/**
 * Lets a page's policy report its violations: what browsers do today, and what older ones do. Other answers stay as they are: nobody
 * learns from what a 404 or a picture could not load.
 *
 * @param to where reports go: a path of the site, or a URL
 * @see Content Security Policy Level 3 §6.5 (`report-uri`, `report-to`); Reporting API §3.2 (`Reporting-Endpoints`)
 */
export function withReporting(headers: readonly Header[], to: string): Header[] {
  return headers.flatMap((header): Header[] => {
    const [name, value] = header;
    if (name !== "content-security-policy" && name !== "content-security-policy-report-only") return [header];
    return [
      [name, `${value}; report-uri ${to}; report-to ${endpoint}`],
      ["reporting-endpoints", `${endpoint}="${to}"`],
    ];
  });
}
