import { hostsError, shown } from "./errors.ts";

/** Writes a header as a line of a `_headers` file. */
export function headerLine(name: string, value: string, path: string, maxLength: number): string {
  if (!/^[a-z0-9-]+$/.test(name))
    throw hostsError(
      "HOSTS_HEADER_REFUSED",
      `The header ${shown(name)} of ${shown(path)} can't be written into a _headers file.`,
      "Its name may have letters, digits and hyphens there",
    );
  const line = `${name}: ${value}`;
  if (line.length > maxLength)
    throw hostsError(
      "HOSTS_LIMIT_EXCEEDED",
      `The header ${name} of ${shown(path)} is ${line.length} characters long: this host reads ${maxLength} and drops the line.`,
      "Put hashes into a <meta> of the page: curtainwall harden --for does that",
    );
  return `  ${line}`;
}
