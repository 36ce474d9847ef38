import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { workerdConfig } from "./workerd-config.ts";
import type { GroupMember } from "./workerd-config.ts";

const literal = /"(?:[^"\\\n]|\\x[0-9a-f]{2})*"/g;
/** A configuration with its texts taken out: what is left must not depend on them. */
const skeleton = (config: string): string => config.replaceAll(literal, "T");
const texts = (config: string): string[] =>
  (config.match(literal) ?? []).map((text) =>
    Buffer.from(
      text
        .slice(1, -1)
        .replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
      "latin1",
    ).toString("utf8"),
  );
const members = (...names: string[]): GroupMember[] =>
  names.map((name, index) => ({ name, file: `${index}.js` }));

suite("a group's configuration", () => {
  test("sends each function's requests to egress under its own name, and to nobody else", () => {
    const config = workerdConfig({ members: members("contact", "quotes"), egress: "unix:/egress.sock" });
    for (const name of ["contact", "quotes"]) {
      assert.match(config, new RegExp(`"fn-${name}", .*globalOutbound = "egress-${name}"`));
      assert.match(config, new RegExp(`"egress-${name}", .*"x-curtainwall-function", value = "${name}"`));
    }
    assert.match(
      config,
      /\(name = "internet", network = \(allow = \[\], deny = \["0\.0\.0\.0\/0", "::\/0"\]\)\)/,
    );
  });

  test("binds nothing to a function, and has one listener", () => {
    const config = workerdConfig({ members: members("contact", "quotes"), egress: "unix:/egress.sock" });
    assert.equal(config.match(/bindings = /g)?.length, 1, "those of the router");
    assert.match(config, /sockets = \[\(name = "group", http = \(\), service = "router"\)\]/);
  });

  test("has no router where one function is alone, and no way out where there is no egress", () => {
    const config = workerdConfig({ members: members("contact"), egress: undefined });
    assert.match(config, /service = "fn-contact"/);
    assert.doesNotMatch(config, /router|external/);
    assert.match(config, /globalOutbound = "internet"/);
  });

  test("keeps whatever a name holds inside its text", () => {
    const plain = workerdConfig({ members: members("a", "b"), egress: "e", address: "x" });
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (name, egress) => {
        const config = workerdConfig({ members: members(name, "b"), egress, address: "x" });
        assert.equal(skeleton(config), skeleton(plain));
        assert.ok(texts(config).includes(new TextDecoder().decode(new TextEncoder().encode(name))));
      }),
    );
    const hostile = '"), (name = "evil", network = (allow = ["public"]))';
    assert.equal(
      skeleton(workerdConfig({ members: members(hostile, "b"), egress: "e", address: "x" })),
      skeleton(plain),
    );
  });
});
