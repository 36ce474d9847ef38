import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { parseProxyHeader } from "./proxy-header.ts";

const ascii = (text: string): Uint8Array => Buffer.from(text, "latin1");
const signature = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10];

/** A header of version 2. */
function binary(command: number, family: number, body: readonly number[]): Uint8Array {
  return Uint8Array.from([
    ...signature,
    0x20 | command,
    family,
    body.length >> 8,
    body.length & 255,
    ...body,
  ]);
}
const v4 = [198, 51, 100, 7, 10, 0, 0, 1, 0x12, 0x67, 1, 187];
const v6 = [
  ...[0x20, 1, 4, 0x70],
  ...Array.from({ length: 11 }, () => 0),
  7,
  ...Array.from({ length: 16 }, () => 1),
  1,
  2,
  3,
  4,
];

suite("A PROXY header", () => {
  test("of version 1 names the client (§2.1)", () => {
    const line = "PROXY TCP4 198.51.100.7 10.0.0.1 4711 443\r\n";
    assert.deepEqual(parseProxyHeader(ascii(`${line}rest`)), {
      kind: "complete",
      client: "198.51.100.7",
      length: line.length,
    });
    const other = parseProxyHeader(ascii("PROXY TCP6 2001:470::7 ::1 1 65535\r\n"));
    assert.equal(other.kind === "complete" && other.client, "2001:470:0:0:0:0:0:7");
    const mapped = parseProxyHeader(ascii("PROXY TCP6 ::ffff:198.51.100.7 ::1 1 2\r\n"));
    assert.equal(mapped.kind === "complete" && mapped.client, "198.51.100.7");
    assert.deepEqual(parseProxyHeader(ascii("PROXY UNKNOWN whatever\r\n")), {
      kind: "complete",
      client: undefined,
      length: 24,
    });
  });

  test("of version 2 names the client, and LOCAL none (§2.2)", () => {
    assert.deepEqual(parseProxyHeader(binary(1, 0x11, v4)), {
      kind: "complete",
      client: "198.51.100.7",
      length: 28,
    });
    const other = parseProxyHeader(binary(1, 0x21, v6));
    assert.equal(other.kind === "complete" && other.client, "2001:470:0:0:0:0:0:7");
    assert.deepEqual(parseProxyHeader(binary(0, 0, [])), { kind: "complete", client: undefined, length: 16 });
    assert.equal(parseProxyHeader(binary(1, 0x11, [...v4, 4, 0, 2, 9, 9])).kind, "complete", "an extension");
  });

  test("with a checksum is held to it", () => {
    const whole = binary(1, 0x11, [...v4, 3, 0, 4, 0, 0, 0, 0]);
    assert.equal(parseProxyHeader(whole).kind, "invalid");
    let crc = 0xffffffff;
    for (const byte of whole) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    new DataView(whole.buffer).setUint32(whole.length - 4, ~crc >>> 0);
    assert.equal(parseProxyHeader(whole).kind, "complete");
  });

  test("is refused when it is malformed, too long, or of something else than TCP over IP", () => {
    const lines = [
      ...[
        "GET / HTTP/1.1\r\n",
        "PROXY\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n",
        "PROXY TCP4 ::1 ::1 1 2\r\n",
      ],
      ...[
        "PROXY TCP6 1.1.1.1 2.2.2.2 1 2\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 1 70000\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 1 02\r\n",
      ],
      ...[
        "PROXY  TCP4 1.1.1.1 2.2.2.2 1 2\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n",
        `PROXY UNKNOWN ${"x".repeat(200)}`,
      ],
      ...[
        "proxy TCP4 1.1.1.1 2.2.2.2 1 2\r\n",
        "PROXY TCP4 1.1.1 2.2.2.2 1 2\r\n",
        "PROXY UDP4 1.1.1.1 2.2.2.2 1 2\r\n",
      ],
    ];
    for (const line of lines) assert.equal(parseProxyHeader(ascii(line)).kind, "invalid", line);
    const bytes = [
      ...[
        binary(2, 0x11, v4),
        binary(1, 0x12, v4),
        binary(1, 0x31, v4),
        binary(1, 0x11, v4.slice(1)),
        binary(1, 0x21, v4),
      ],
      ...[
        binary(1, 0x11, [...v4, 4, 0]),
        binary(1, 0x11, [...v4, 4, 0, 9, 1]),
        binary(1, 0x11, [...v4, 3, 0, 1, 1]),
      ],
      ...[
        Uint8Array.from([...signature, 0x11, 0x11, 0, 0]),
        Uint8Array.from([...signature, 0x21, 0x11, 255, 255]),
      ],
    ];
    for (const header of bytes) assert.equal(parseProxyHeader(header).kind, "invalid", String(header));
  });

  test("may come in any pieces: until the last byte it is incomplete", () => {
    const headers = [
      ascii("PROXY TCP4 198.51.100.7 10.0.0.1 4711 443\r\n"),
      ascii("PROXY UNKNOWN\r\n"),
      binary(1, 0x11, v4),
      binary(1, 0x21, v6),
      binary(0, 0, []),
    ];
    for (const header of headers)
      for (let length = 0; length < header.length; length++)
        assert.equal(parseProxyHeader(header.subarray(0, length)).kind, "incomplete");
  });

  test("of any bytes is read without an error, and never asks for more than 4 KiB", () => {
    const begun = fc.tuple(
      fc.constantFrom(signature, [...Buffer.from("PROXY ")], []),
      fc.uint8Array({ maxLength: 60 }),
    );
    fc.assert(
      fc.property(begun, ([start, rest]) => {
        parseProxyHeader(Uint8Array.from([...start, ...rest]));
        const filled = Uint8Array.from([...start, ...rest, ...new Uint8Array(4096)]);
        assert.notEqual(parseProxyHeader(filled).kind, "incomplete");
      }),
    );
  });
});
