import { formatAddress, parseAddress } from "../../shared/index.ts";

/** What the first bytes of a connection say, by the PROXY protocol. */
export type ProxyHeader =
  /** Not all of it has come. */
  | { readonly kind: "incomplete" }
  /** This does not begin with one, or it is malformed. */
  | { readonly kind: "invalid"; readonly reason: string }
  | {
      readonly kind: "complete";
      /** The client's address; undefined where the proxy speaks for itself, as its health checks do. */
      readonly client: string | undefined;
      /** Bytes that it took: what follows is the client's. */
      readonly length: number;
    };

/** The longest header that is read: version 2 may carry up to 64 KiB of extensions, of which balancers use a few hundred bytes. */
const maxHeaderBytes = 4096;
/** A line of version 1, with its CRLF. */
const maxLineBytes = 107;

const signature = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10);
const incomplete: ProxyHeader = { kind: "incomplete" };
const invalid = (reason: string): ProxyHeader => ({ kind: "invalid", reason });

/**
 * Reads a PROXY protocol header, version 1 or 2, from the first bytes of a connection.
 *
 * @see The PROXY protocol, versions 1 & 2 (HAProxy, 2020/03/05), §2.1, §2.2
 */
export function parseProxyHeader(bytes: Uint8Array): ProxyHeader {
  if (bytes.length === 0) return incomplete;
  if (bytes[0] === signature[0]) return parseBinary(bytes);
  return bytes[0] === "P".charCodeAt(0) ? parseLine(bytes) : invalid("it begins with no PROXY header");
}

function parseLine(bytes: Uint8Array): ProxyHeader {
  const end = bytes.subarray(0, maxLineBytes).indexOf(10);
  if (end < 0) return bytes.length < maxLineBytes ? incomplete : invalid("its line is too long");
  const line = String.fromCharCode(...bytes.subarray(0, end + 1));
  if (!line.endsWith("\r\n")) return invalid("its line does not end with CRLF");
  const [name, family, source, target, sourcePort, targetPort, ...rest] = line.slice(0, -2).split(" ");
  if (name !== "PROXY") return invalid("it begins with no PROXY header");
  // What follows UNKNOWN is to be ignored.
  if (family === "UNKNOWN") return { kind: "complete", client: undefined, length: end + 1 };
  const from = parseAddress(source ?? "");
  const to = parseAddress(target ?? "");
  const size = family === "TCP4" ? 4 : family === "TCP6" ? 16 : 0;
  const isOfFamily = (address: Uint8Array | undefined, text: string | undefined): boolean =>
    address !== undefined && (size === 16) === (text ?? "").includes(":") && size !== 0;
  if (rest.length > 0 || !isOfFamily(from, source) || !isOfFamily(to, target))
    return invalid("its addresses can't be read");
  if (!isPort(sourcePort) || !isPort(targetPort)) return invalid("its ports can't be read");
  return { kind: "complete", client: formatAddress(from as Uint8Array), length: end + 1 };
}

const isPort = (text: string | undefined): boolean =>
  text !== undefined && /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;

function parseBinary(bytes: Uint8Array): ProxyHeader {
  const known = Math.min(bytes.length, signature.length);
  if (signature.subarray(0, known).some((byte, index) => byte !== bytes[index]))
    return invalid("it begins with no PROXY header");
  if (bytes.length < 16) return incomplete;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [version, command] = [view.getUint8(12) >> 4, view.getUint8(12) & 15];
  const [family, transport] = [view.getUint8(13) >> 4, view.getUint8(13) & 15];
  const length = view.getUint16(14) + 16;
  if (version !== 2 || command > 1) return invalid("its version is not known");
  if (length > maxHeaderBytes) return invalid("it is too long");
  if (bytes.length < length) return incomplete;
  // LOCAL: the proxy speaks for itself.
  if (command === 0) return { kind: "complete", client: undefined, length };
  const size = family === 1 ? 4 : family === 2 ? 16 : 0;
  if (size === 0 || transport !== 1 || length < 16 + size * 2 + 4)
    return invalid("it names no client of TCP over IP");
  const fault = checkExtensions(bytes.subarray(0, length), 16 + size * 2 + 4);
  if (fault !== undefined) return invalid(fault);
  const address = formatAddress(bytes.subarray(16, 16 + size));
  // Written once more, since IPv4 may come in IPv6's clothes.
  const client = formatAddress(parseAddress(address) ?? bytes.subarray(16, 16 + size));
  return { kind: "complete", client, length };
}

const crc32c = 0x03;

/** What is wrong with a header's extensions. The checksum is verified where there is one (§2.2.3). */
function checkExtensions(header: Uint8Array, from: number): string | undefined {
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  for (let at = from; at < header.length;) {
    if (at + 3 > header.length) return "an extension is cut off";
    const end = at + 3 + view.getUint16(at + 1);
    if (end > header.length) return "an extension is cut off";
    if (view.getUint8(at) === crc32c) {
      if (end - at !== 7) return "its checksum can't be read";
      // Not `slice`: a Buffer's shares its memory.
      const blank = new Uint8Array(header);
      blank.fill(0, at + 3, at + 7);
      if (checksum(blank) !== view.getUint32(at + 3)) return "its checksum does not match";
    }
    at = end;
  }
  return undefined;
}

/** CRC-32C, bit by bit: it runs over a few hundred bytes, once for a connection. */
function checksum(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}
