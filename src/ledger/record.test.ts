import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { eventCatalogue } from "../contract/index.ts";
import type { SecurityEventType } from "../contract/index.ts";
import { formatRecord, isAlert, recordLine } from "./record.ts";

const now = 1_800_000_000_000;
const send = (value: unknown, source = "edge"): string =>
  recordLine(new TextEncoder().encode(JSON.stringify(value)), source, now);
const types = Object.keys(eventCatalogue) as SecurityEventType[];
const common = new Set(["time", "source", "severity", "event", "about"]);

test("an event becomes one line: when, from whom, how grave, what, and its fields", () => {
  const line = send({
    type: "gateway.request.refused",
    time: now,
    id: "r1",
    code: "GATEWAY_LIMIT_REACHED",
    status: 429,
  });
  assert.equal(
    line,
    '{"time":"2027-01-15T08:00:00.000Z","source":"edge","severity":"notice","event":"gateway.request.refused","id":"r1","code":"GATEWAY_LIMIT_REACHED","status":429}\n',
  );
});

test("no event of the catalogue has a field that the record needs for itself", () => {
  for (const type of types)
    for (const name of ["time", "severity", "event", "type", "about"])
      assert.ok(!Object.hasOwn(eventCatalogue[type].fields, name), `${type}: ${name}`);
});

test("a domain can't choose its name, its event's severity, or a field", () => {
  const record = JSON.parse(
    send({
      type: "ledger.events.lost",
      time: now,
      source: "supervisor",
      about: "supervisor",
      severity: "none",
      event: "stack.started",
      token: "canary",
      count: 3,
    }),
  );
  assert.deepEqual(record, {
    time: "2027-01-15T08:00:00.000Z",
    source: "edge",
    severity: "alert",
    event: "ledger.events.lost",
    count: 3,
    about: "supervisor",
  });
});

test("what is no event is named as such, and nothing of it is written", () => {
  const lines = [
    undefined,
    ...'canary|{|null|7|[]|"canary"|{}|{"type":"canary","time":1}|{"type":"__proto__","time":1}|{"type":"stack.started"}|{"type":"stack.started","time":"canary"}|{"type":"stack.started","time":1e999}'
      .split("|")
      .map((text) => new TextEncoder().encode(text)),
    Uint8Array.of(0xff, 0xfe),
  ];
  for (const line of lines) {
    const written = recordLine(line, "edge", now);
    const record = JSON.parse(written);
    assert.equal(record.event, "ledger.line.refused");
    assert.deepEqual([record.source, record.about, record.severity], ["ledger", "edge", "alert"]);
    assert.ok(!written.includes("canary"));
  }
});

test("a time that is no date does not stop an event", () => {
  for (const [time, written] of [
    [1e300, "1970-01-01T00:00:00.000Z"],
    [-1, "1969-12-31T23:59:59.999Z"],
    [8.64e15, "+275760-09-13T00:00:00.000Z"],
  ] as const)
    assert.equal(JSON.parse(send({ type: "stack.stopped", time })).time, written);
});

suite("log injection", () => {
  const hostile = {
    "an end of line": "\r\n",
    "a terminal's escape sequence": "\u001b[2J\u001b]0;owned\u0007",
    "a C1 control sequence": "\u009b31m",
    "a backspace and a delete": "\b\u007f",
    "a line separator": "\u2028",
    "a paragraph separator": "\u2029",
    "an override of direction": "\u202e",
    "an isolate": "\u2066",
    "a mark of direction": "\u200e\u061c",
    "nothing visible": "\u200b\u2060\ufeff\u00ad",
    "tag characters": "\u{e0041}\u{e007f}",
    "a NUL": "\u0000",
    "half a character": "\ud800",
  };
  for (const [name, text] of Object.entries(hostile))
    test(`${name} is written as an escape, and read back as it was`, () => {
      const forged = `a${text}{"event":"stack.started"}`;
      const line = send({ type: "gateway.request.refused", time: now, subject: forged, fields: [forged] });
      assert.match(line, /^[\u0020-\u007e]*\n$/);
      const record = JSON.parse(line);
      assert.equal(record.subject, forged);
      assert.deepEqual(record.fields, [forged]);
      assert.equal(record.event, "gateway.request.refused");
    });

  test("ordinary text of any script stays readable", () => {
    assert.ok(
      send({ type: "stack.stopped", time: now, reason: "Brötchen 面包 🥖" }).includes("Brötchen 面包 🥖"),
    );
  });

  test("of whatever a domain sends, one line of JSON is written, with fields of the catalogue only", () => {
    const value = fc.oneof(
      fc.string({ unit: "binary", maxLength: 400 }),
      fc.array(fc.string({ unit: "binary" }), { maxLength: 30 }),
      fc.double(),
      fc.jsonValue(),
    );
    const names = [
      ...new Set(types.flatMap((type) => Object.keys(eventCatalogue[type].fields))),
      "token",
      "__proto__",
      "severity",
    ];
    const event = fc.record({
      type: fc.constantFrom(...types),
      time: fc.oneof(fc.double(), fc.constant(now)),
      fields: fc.dictionary(fc.constantFrom(...names), value, { noNullPrototype: true }),
    });
    fc.assert(
      fc.property(event, fc.boolean(), ({ type, time, fields }, cut) => {
        const text = JSON.stringify({ ...fields, type, time });
        const bytes = new TextEncoder().encode(cut ? text.slice(0, -1) : text);
        const line = recordLine(bytes, "edge", now);
        assert.equal(line.indexOf("\n"), line.length - 1);
        // oxlint-disable-next-line no-control-regex -- they are what must not be there
        assert.ok(!/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/.test(line.slice(0, -1)));
        const record = JSON.parse(line);
        const known = Object.keys(eventCatalogue[record.event as SecurityEventType].fields);
        for (const name of Object.keys(record)) assert.ok(common.has(name) || known.includes(name), name);
        assert.match(record.time, /^[+-]?\d{4,6}-\d\d-\d\dT[\d:.]+Z$/);
        if (!cut && Number.isFinite(time)) assert.equal(record.event, type);
      }),
    );
  });
});

test("an event of ours is written like one that came down a pipe", () => {
  const event = { type: "stack.weakened", time: now, option: "a", reason: "b" } as const;
  assert.equal(formatRecord(event, "supervisor"), send(event, "supervisor"));
});

test("A record is an alert by its event alone, whatever its fields say", () => {
  const severity = '"severity":"alert"';
  const source = 'edge","severity":"alert","x":"';
  const reason = `${severity} \\${severity}`;
  assert.ok(
    isAlert(
      formatRecord({ type: "stack.domain.exited", time: 0, domain: "edge", exit: reason }, "supervisor"),
    ),
  );
  for (const from of ["supervisor", source])
    assert.ok(!isAlert(formatRecord({ type: "stack.stopped", time: 0, reason }, from)));
});
