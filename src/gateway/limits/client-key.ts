/**
 * The client that a request is charged to: an IPv4 address, or an IPv6 address's /64, since whoever has one address of a
 * /64 has all of them.
 *
 * @see RFC 6177 §2, RFC 4291 §2.2, §2.5.5.2 (IPv4-mapped addresses are the IPv4 client)
 */
export function clientKey(address: string): string {
  if (!address.includes(":")) return address;
  const zone = address.indexOf("%");
  const plain = (zone < 0 ? address : address.slice(0, zone)).toLowerCase();
  if (plain.startsWith("::ffff:") && plain.includes(".")) return plain.slice(7);
  const gap = plain.indexOf("::");
  const left = groupsOf(gap < 0 ? plain : plain.slice(0, gap));
  if (gap >= 0 && left.length < 4) {
    const right = groupsOf(plain.slice(gap + 2));
    while (left.length + right.length < 8) left.push("0");
    left.push(...right);
  }
  const prefix = left.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ""));
  return `${prefix.join(":")}::/64`;
}

/** The groups of a part of an address; a dotted end stands for two, whose value no /64 contains. */
function groupsOf(part: string): string[] {
  return part
    .split(":")
    .filter((group) => group !== "")
    .flatMap((group) => (group.includes(".") ? ["0", "0"] : [group]));
}
