/** An origin that looks like an allowed one, and must not be taken for it. */
export interface LookAlike {
  /** Which mistake of a server would let it in. */
  kind: LookAlikeKind;
  origin: string;
}

export const lookAlikeKinds = ["null", "prefix", "suffix", "subdomain", "port", "scheme", "case"] as const;

export type LookAlikeKind = (typeof lookAlikeKinds)[number];

/** Origins that differ from the allowed ones by one thing each. None of them is allowed itself. */
export function lookAlikes(allowed: readonly string[]): LookAlike[] {
  const all = allowed.flatMap((origin) => {
    const { protocol, host, hostname, port } = new URL(origin);
    const portPart = port === "" ? "" : `:${port}`;
    const otherPort = String((Number(port === "" ? "443" : port) % 65_534) + 1);
    const found: LookAlike[] = [
      { kind: "null", origin: "null" },
      { kind: "prefix", origin: `${protocol}//evil${host}` },
      { kind: "prefix", origin: `${protocol}//${host}@attacker.invalid` },
      { kind: "suffix", origin: `${protocol}//${hostname}.attacker.invalid${portPart}` },
      { kind: "suffix", origin: `${protocol}//${host}0` },
      { kind: "subdomain", origin: `${protocol}//sub.${host}` },
      { kind: "port", origin: `${protocol}//${hostname}:${otherPort}` },
      { kind: "scheme", origin: `${protocol === "https:" ? "http:" : "https:"}//${host}` },
      { kind: "case", origin: `${protocol}//${host.toUpperCase()}` },
    ];
    // A browser writes origins in lower case and without a path; what looks otherwise is no browser's.
    return /[a-z]/.test(host) ? found : found.filter(({ kind }) => kind !== "case");
  });
  const seen = new Set(allowed);
  return all.filter(({ origin }) => !seen.has(origin) && seen.add(origin));
}
