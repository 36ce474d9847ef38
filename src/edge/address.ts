const mapped = "::ffff:";

/** Writes an IPv4 address that came mapped into IPv6 as IPv4; others stay. */
export function normalizeAddress(address: string): string {
  return address.startsWith(mapped) && address.includes(".") ? address.slice(mapped.length) : address;
}

/**
 * What connections are counted by: an IPv4 address, or an IPv6 /64, since one customer is given at least that.
 *
 * @param address normalised; an IPv6 address as the system writes it
 */
export function addressGroup(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("%", 1)[0]?.split("::", 2) ?? [];
  const front = head === "" ? [] : head.split(":");
  if (tail === undefined) return front.slice(0, 4).join(":");
  const back = tail === "" ? [] : tail.split(":");
  // An IPv4 address written at the end stands for two groups.
  const width = front.length + back.length + (tail.includes(".") ? 1 : 0);
  const groups = [...front, ...Array<string>(Math.max(0, 8 - width)).fill("0"), ...back];
  return groups.slice(0, 4).join(":");
}
