/** An IP address: four bytes, or sixteen. An IPv4 address that is mapped into IPv6 is one of IPv4 (RFC 4291 §2.5.5.2). */
export type AddressBytes = Uint8Array;

/** The addresses that begin with the same bits. */
export interface Network {
  readonly bytes: AddressBytes;
  /** How many bits are the same. */
  readonly prefix: number;
}

/** Longer than any address that is written out, its zone included. */
const maxLength = 100;
const dotted = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
const hexGroup = /^[0-9a-f]{1,4}$/i;

/**
 * Reads an IP address, in any of the ways that IPv6 is written in; a zone (`%eth0`) is left out. A number of an IPv4 address
 * that begins with 0 is refused, since some readers take it for octal.
 *
 * @returns undefined for anything else
 * @see RFC 4291 §2.2, RFC 6943 §3.1.1
 */
export function parseAddress(text: string): AddressBytes | undefined {
  if (text.length > maxLength) return undefined;
  if (!text.includes(":")) return parseIpv4(text);
  const zone = text.indexOf("%");
  const bytes = parseIpv6(zone < 0 ? text : text.slice(0, zone));
  return bytes !== undefined && isMapped(bytes) ? bytes.slice(12) : bytes;
}

function parseIpv4(text: string): AddressBytes | undefined {
  const numbers = dotted.exec(text)?.slice(1);
  if (numbers === undefined || numbers.some((part) => Number(part) > 255 || /^0./.test(part)))
    return undefined;
  return Uint8Array.from(numbers, Number);
}

function parseIpv6(text: string): AddressBytes | undefined {
  const sides = text.split("::");
  if (sides.length > 2) return undefined;
  const [front, back] = sides.map((side) => (side === "" ? [] : bytesOf(side.split(":"))));
  if (front === undefined) return undefined;
  if (sides.length === 1) return front.length === 16 ? Uint8Array.from(front) : undefined;
  // "::" stands for one group at least.
  if (back === undefined || front.length + back.length > 14) return undefined;
  const bytes = new Uint8Array(16);
  bytes.set(front);
  bytes.set(back, 16 - back.length);
  // Only the end of the whole address may be written with dots.
  return sides[0]?.includes(".") ? undefined : bytes;
}

function bytesOf(groups: readonly string[]): number[] | undefined {
  const bytes: number[] = [];
  for (const [index, group] of groups.entries()) {
    const isLast = index === groups.length - 1;
    const four = isLast && group.includes(".") ? parseIpv4(group) : undefined;
    if (four !== undefined) bytes.push(...four);
    else if (hexGroup.test(group)) bytes.push(parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff);
    else return undefined;
  }
  return bytes;
}

function isMapped(bytes: AddressBytes): boolean {
  return bytes[10] === 0xff && bytes[11] === 0xff && bytes.subarray(0, 10).every((byte) => byte === 0);
}

/** Writes an address in one way only: IPv4 with dots, IPv6 as eight groups without leading zeros. */
export function formatAddress(bytes: AddressBytes): string {
  return bytes.length === 4 ? bytes.join(".") : groupsOf(bytes, 8).join(":");
}

function groupsOf(bytes: AddressBytes, count: number): string[] {
  return Array.from({ length: count }, (_, index) =>
    (((bytes[index * 2] as number) << 8) | (bytes[index * 2 + 1] as number)).toString(16),
  );
}

/** Reads `10.0.0.0/8` or `2001:db8::/32`; an address alone is a network of one. Undefined for anything else, and where bits are set that the prefix leaves out. */
export function parseNetwork(text: string): Network | undefined {
  const [address = "", length, ...rest] = text.split("/");
  const bytes = parseAddress(address);
  if (bytes === undefined || rest.length > 0 || address.includes("%")) return undefined;
  const bits = bytes.length * 8;
  if (length === undefined) return { bytes, prefix: bits };
  if (!/^\d{1,3}$/.test(length)) return undefined;
  // A network of mapped addresses is written with the bits of the IPv6 form.
  const prefix = Number(length) - (bits === 32 && address.includes(":") ? 96 : 0);
  if (prefix < 0 || prefix > bits) return undefined;
  return bytes.every((byte, index) => byte === (byte & maskAt(prefix, index)))
    ? { bytes, prefix }
    : undefined;
}

/** Tells whether an address lies in one of some networks. */
export function isWithin(address: AddressBytes, networks: readonly Network[]): boolean {
  return networks.some(
    ({ bytes, prefix }) =>
      bytes.length === address.length &&
      bytes.every((byte, index) => byte === ((address[index] as number) & maskAt(prefix, index))),
  );
}

/** The bits of a byte that belong to a prefix. */
function maskAt(prefix: number, index: number): number {
  const bits = Math.min(8, Math.max(0, prefix - index * 8));
  return (0xff00 >> bits) & 0xff;
}

/**
 * Whom an address stands for when something is counted: an IPv4 address itself, an IPv6 address its network, since
 * whoever has one address of that has all of them.
 *
 * @param address as a socket or a proxy gives it; what is no address stands for itself
 * @param ipv6Prefix how many bits name a customer, 16 to 128. Default 64
 * @see RFC 6177 §2
 */
export function addressGroup(address: string, ipv6Prefix = 64): string {
  // Most are, and this runs for each request.
  if (!address.includes(":")) return address;
  const bytes = parseAddress(address);
  if (bytes === undefined) return address;
  if (bytes.length === 4) return formatAddress(bytes);
  const kept = bytes.map((byte, index) => byte & maskAt(ipv6Prefix, index));
  if (ipv6Prefix === 128) return formatAddress(kept);
  return `${groupsOf(kept, Math.ceil(ipv6Prefix / 16)).join(":")}::/${ipv6Prefix}`;
}

/** Writes an IPv4 address that came mapped into IPv6 as IPv4; others stay as they are. */
export function normalizeAddress(address: string): string {
  if (!address.includes(":") || !address.includes(".")) return address;
  const bytes = parseAddress(address);
  return bytes?.length === 4 ? formatAddress(bytes) : address;
}
