import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { createRedisCommandFilter } from "./redis-commands.ts";

const script = "return KEYS[1]";
const digest = createHash("sha1").update(script).digest("hex");
const open = () => createRedisCommandFilter({ scripts: [script], keyPrefix: "cw:{" });
const write = (parts: readonly string[]): string =>
  `*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join("")}`;

const key = fc.stringMatching(/^[0-9a-f]{1,16}$/).map((text) => `cw:{${text}}:x`);
const permitted = fc.oneof(
  fc.constant(["PING"]),
  fc
    .tuple(
      fc.constantFrom(["EVALSHA", digest], ["EVAL", script]),
      fc.array(key, { minLength: 1, maxLength: 5 }),
      fc.array(fc.string(), { maxLength: 4 }),
    )
    .map(([head, keys, args]) => [...head, String(keys.length), ...keys, ...args]),
);

/** Pushes bytes in parts that end where `cuts` say. */
function pushInParts(filter: ReturnType<typeof open>, bytes: Buffer, cuts: readonly number[]): Buffer {
  const ends = [...new Set([...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].toSorted(
    (a, b) => a - b,
  );
  let from = 0;
  return Buffer.concat(
    ends.flatMap((end) => {
      const part = bytes.subarray(from, end);
      from = end;
      return filter.push(part);
    }),
  );
}

test("what is permitted passes to the byte, in whatever parts it comes, and only in whole commands", () => {
  fc.assert(
    fc.property(
      fc.array(permitted, { maxLength: 6 }),
      fc.array(fc.nat(), { maxLength: 8 }),
      fc.nat(),
      (commands, cuts, missing) => {
        const bytes = Buffer.from(commands.map(write).join(""));
        assert.ok(pushInParts(open(), bytes, cuts).equals(bytes));
        const cut = bytes.subarray(0, bytes.length - (missing % (bytes.length + 1)));
        const passed = pushInParts(open(), Buffer.from(cut), cuts).toString("latin1");
        const whole = commands.map((parts) => Buffer.from(write(parts)).toString("latin1"));
        assert.ok(
          whole.some((_, index) => whole.slice(0, index).join("") === passed) || passed === whole.join(""),
        );
      },
    ),
  );
});

test("nothing of a command that is not permitted passes, nor of what follows it, in whatever parts it comes", () => {
  const forbidden = fc.oneof(
    fc
      .array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 5 })
      .filter(([name]) => !/^(ping|evalsha|eval)$/i.test(name ?? "")),
    fc.constantFrom(
      ["PING", "x"],
      ["EVALSHA", digest, "1", "other"],
      ["EVALSHA", digest.toUpperCase(), "1", "cw:{a}"],
      ["EVALSHA", digest, "01", "cw:{a}"],
      ["EVALSHA", digest, "2", "cw:{a}", "CW:{a}"],
      ["EVAL", `${script}\n`, "1", "cw:{a}"],
      ["EVAL", script, "1"],
      ["EVAL_RO", script, "1", "cw:{a}"],
    ),
  );
  fc.assert(
    fc.property(
      fc.array(permitted, { maxLength: 3 }),
      forbidden,
      fc.array(fc.nat(), { maxLength: 8 }),
      (before, bad, cuts) => {
        const filter = open();
        const good = Buffer.from(before.map(write).join(""));
        const bytes = Buffer.concat([good, Buffer.from(write(bad))]);
        let passed = Buffer.alloc(0);
        assert.throws(() => {
          const ends = [...cuts.map((cut) => cut % bytes.length), bytes.length].toSorted((a, b) => a - b);
          let from = 0;
          for (const end of ends) {
            for (const part of filter.push(bytes.subarray(from, end))) passed = Buffer.concat([passed, part]);
            from = end;
          }
        });
        assert.ok(good.subarray(0, passed.length).equals(passed));
      },
    ),
  );
});

test("any other bytes are refused or waited for, never passed", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
      try {
        assert.deepEqual(open().push(Buffer.from(bytes)), []);
      } catch (error) {
        assert.ok(error instanceof Error);
      }
    }),
  );
});
