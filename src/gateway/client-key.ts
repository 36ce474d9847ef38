/**
 * The client that a request is charged to: an IPv4 address, or an IPv6 address's /64, since whoever has one address of a
 * /64 has all of them.
 *
 * @see RFC 6177 §2, RFC 4291 §2.5.5.2 (IPv4-mapped addresses are the IPv4 client)
 */
export function clientKey(address: string): string {
  if (!address.includes(":")) return address;
  const zone = address.indexOf("%");
  const plain = (zone < 0 ? address : address.slice(0, zone)).toLowerCase();
  if (plain.startsWith("::ffff:") && plain.includes(".")) return plain.slice(7);
  const gap = plain.indexOf("::");
  const head = (gap < 0 ? plain : plain.slice(0, gap)).split(":").filter((group) => group !== "");
  const groups = [...head, "0", "0", "0", "0"].slice(0, 4);
  // Groups after the gap belong to the prefix only if the gap is shorter than the interface identifier.
  if (gap >= 0 && head.length < 4) {
    const tail = plain
      .slice(gap + 2)
      .split(":")
      .filter((group) => group !== "");
    const all = [
      ...head,
      ...Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => "0"),
      ...tail,
    ];
    return prefix(all.slice(0, 4));
  }
  return prefix(groups);
}

const prefix = (groups: readonly string[]): string =>
  `${groups.map((group) => group.replace(/^0+(?=.)/, "")).join(":")}::/64`;
