import type { OldTlsAnswer, OldTlsVersion } from "./probe.ts";

const versions: Record<OldTlsVersion, number> = { "TLS 1.0": 0x0301, "TLS 1.1": 0x0302, "TLS 1.2": 0x0303 };

/** Suites of TLS 1.2 and before, strong and weak: a server that speaks these versions at all knows one of them. */
const suites = [
  0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc023, 0xc027, 0xc024, 0xc028, 0xc009, 0xc013, 0xc00a,
  0xc014, 0x009e, 0x009f, 0x0033, 0x0039, 0x0067, 0x006b, 0x009c, 0x009d, 0x003c, 0x003d, 0x002f, 0x0035,
  0x000a,
];
const groups = [0x001d, 0x0017, 0x0018, 0x0019];
const signatures = [0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201];

const uint16 = (value: number): number[] => [value >> 8, value & 255];
const block16 = (bytes: readonly number[]): number[] => [...uint16(bytes.length), ...bytes];
const extension = (type: number, body: readonly number[]): number[] => [...uint16(type), ...block16(body)];

/**
 * A ClientHello that offers one old version and nothing newer, written out by hand: whether a server accepts it must not
 * depend on what our own TLS library is still built to speak.
 *
 * @see RFC 5246 §7.4.1.2; there is no supported_versions extension (RFC 8446 §4.2.1), so TLS 1.3 can't be chosen
 */
export function clientHello(version: OldTlsVersion, host: string, random: Uint8Array): Uint8Array {
  const name = [...new TextEncoder().encode(host)];
  const isName = /[a-z]/i.test(host) && !host.includes(":");
  const extensions = [
    ...(isName ? extension(0, block16([0, ...block16(name)])) : []),
    ...extension(10, block16(groups.flatMap(uint16))),
    ...extension(11, [1, 0]),
    ...(version === "TLS 1.2" ? extension(13, block16(signatures.flatMap(uint16))) : []),
    ...extension(0xff01, [0]),
  ];
  const body = [
    ...uint16(versions[version]),
    ...random.subarray(0, 32),
    0,
    ...block16(suites.flatMap(uint16)),
    1,
    0,
    ...block16(extensions),
  ];
  const handshake = [1, 0, ...uint16(body.length), ...body];
  return Uint8Array.of(22, 3, 1, ...block16(handshake));
}

/** Reads what a server says to a {@link clientHello}: a ServerHello accepts, an alert or a closed connection refuses. */
export function readAnswer(bytes: Uint8Array, wasClosed: boolean): OldTlsAnswer {
  if (bytes.length === 0)
    return wasClosed
      ? { verdict: "refused", detail: "closed without an answer" }
      : { verdict: "unclear", detail: "no answer" };
  const [type, , , , , first, second] = bytes;
  if (type === 21)
    return {
      verdict: "refused",
      detail: `alert ${second ?? "?"}${second === 70 ? " (protocol_version)" : ""}`,
    };
  if (type === 22 && first === 2)
    return { verdict: "accepted", detail: `ServerHello, version 0x${hex(bytes[9])}${hex(bytes[10])}` };
  return { verdict: "unclear", detail: `first byte 0x${hex(type)}` };
}

const hex = (byte: number | undefined): string => (byte ?? 0).toString(16).padStart(2, "0");
