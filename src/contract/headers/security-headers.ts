/** A header as it is sent: lower-case name, value. */
export type Header = readonly [name: string, value: string];

/** Policy of an answer that no browser should render or run anything of: JSON, errors, files. */
export const inertPolicy =
  "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox";

/** What a page may not ask the browser for, unless a contract comes to say otherwise. */
const deniedFeatures = [
  "accelerometer",
  "autoplay",
  "browsing-topics",
  "camera",
  "display-capture",
  "encrypted-media",
  "fullscreen",
  "geolocation",
  "gyroscope",
  "magnetometer",
  "microphone",
  "midi",
  "payment",
  "picture-in-picture",
  "publickey-credentials-get",
  "screen-wake-lock",
  "usb",

  "xr-spatial-tracking",
];

/** The security headers that every answer carries, whatever its status, except its Content-Security-Policy. */
export const baseSecurityHeaders: readonly Header[] = [
  ["strict-transport-security", "max-age=63072000; includeSubDomains"],
  ["x-content-type-options", "nosniff"],
  ["x-frame-options", "DENY"],
  ["referrer-policy", "same-origin"],
  ["permissions-policy", deniedFeatures.map((feature) => `${feature}=()`).join(", ")],
  ["cross-origin-opener-policy", "same-origin"],
  ["cross-origin-resource-policy", "same-origin"],
  ["origin-agent-cluster", "?1"],
];

/**
 * All security headers of one answer.
 *
 * @param policy its Content-Security-Policy
 * @see OWASP Secure Headers Project; CHECKLIST item FE-4
 */
export function securityHeaders(policy: string): Header[] {
  return [["content-security-policy", policy], ...baseSecurityHeaders];
}
