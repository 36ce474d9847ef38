import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { suite, test } from "node:test";
import { sign as signGithub, verify as verifyGithub } from "@octokit/webhooks-methods";
import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { Stripe } from "stripe";
import type { ContractWebhook, SecurityEvent } from "../../contract/index.ts";
import { Secret } from "../../shared/index.ts";
import { createWebhookChecks } from "./webhook-checks.ts";
import type { WebhookVerdict } from "./webhook-checks.ts";

type Scheme = ContractWebhook["scheme"];
type Headers = Readonly<Record<string, string>>;

/** The key of the specification's own example; it opens nothing. */
const standardKey = ["whsec", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"].join("_");
const textKey = "no key of anybody";
const keyFor = (scheme: Scheme): string => (scheme === "standard" ? standardKey : textKey);
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const hmac = (key: string, text: string): string => createHmac("sha256", key).update(text).digest("hex");

/** Signs as each sender does; not by the code under test. */
const senders: Record<Scheme, (body: string, seconds: number, key?: string, id?: string) => Headers> = {
  standard: (body, seconds, key = standardKey, id = "msg_1") => ({
    "webhook-id": id,
    "webhook-timestamp": String(seconds),
    "webhook-signature": new Webhook(key).sign(id, new Date(seconds * 1000), body),
  }),
  stripe: (body, seconds, key = textKey) => ({
    "stripe-signature": Stripe.webhooks.generateTestHeaderString({
      payload: body,
      secret: key,
      timestamp: seconds,
    }),
  }),
  github: (body, _seconds, key = textKey) => ({
    "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
    "x-hub-signature-256": `sha256=${hmac(key, body)}`,
  }),
  slack: (body, seconds, key = textKey) => ({
    "x-slack-request-timestamp": String(seconds),
    "x-slack-signature": `v0=${hmac(key, `v0:${seconds}:${body}`)}`,
  }),
};
const schemes = Object.keys(senders) as Scheme[];

const begun = 1_800_000_000;

function openChecks(
  scheme: Scheme,
  { keys = [keyFor(scheme)], maxRemembered = 1000 }: { keys?: string[]; maxRemembered?: number } = {},
) {
  const events: SecurityEvent[] = [];
  let seconds = begun;
  const webhook = { scheme, secret: "KEY", toleranceSeconds: 300 };
  const checks = createWebhookChecks({
    routes: [
      { key: "POST /hook", webhook, timeoutMs: 5000 },
      { key: "POST /other", webhook, timeoutMs: 5000 },
      { key: "POST /plain", webhook: undefined, timeoutMs: 5000 },
    ],
    keys: {
      keysOf: async () =>
        keys.map((value, index) => ({ version: keys.length - index, value: new Secret(value) })),
    },
    events: (event) => void events.push(event),
    maxRemembered,
    now: () => seconds * 1000,
  });
  seconds += 10;
  return {
    checks,
    events,
    /** Sets the clock, in seconds since everything began. */
    at(time: number): void {
      seconds = begun + time;
    },
    send(body: string, headers: Headers, route = "POST /hook"): Promise<WebhookVerdict> {
      return checks.check({ route, header: (name) => headers[name], body: utf8(body) });
    },
  };
}

const kindOf = async (verdict: Promise<WebhookVerdict>): Promise<WebhookVerdict["kind"]> =>
  (await verdict).kind;

suite("Published examples", () => {
  async function judge(scheme: Scheme, key: string, seconds: number, headers: Headers, body: string) {
    const checks = createWebhookChecks({
      routes: [{ key: "r", webhook: { scheme, secret: "KEY", toleranceSeconds: 300 }, timeoutMs: 1 }],
      keys: { keysOf: async () => [{ version: 1, value: new Secret(key) }] },
      events: () => undefined,
      now: () => seconds * 1000,
    });
    return (await checks.check({ route: "r", header: (name) => headers[name], body: utf8(body) })).kind;
  }

  test("Standard Webhooks' library has this one in its tests", async () => {
    const headers = {
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    };
    const body = '{"test": 2432232314}';
    assert.equal(await judge("standard", standardKey, 1_614_265_330, headers, body), "genuine");
    assert.equal(await judge("standard", standardKey, 1_614_265_330, headers, `${body} `), "refused");
  });

  test("GitHub documents this one", async () => {
    const headers = {
      "x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    };
    const key = "It's a Secret to Everybody";
    assert.equal(await judge("github", key, begun, headers, "Hello, World!"), "genuine");
    assert.equal(await judge("github", key, begun, headers, "Hello, World?"), "refused");
  });

  test("Slack documents this one", async () => {
    const headers = {
      "x-slack-request-timestamp": "1531420618",
      "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    };
    const body = [
      "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow",
      "channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner",
      "command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN",
      "trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
    ].join("&");
    const key = ["8f742231b10e8888", "abcd99yyyzzz85a5"].join("");
    assert.equal(await judge("slack", key, 1_531_420_618, headers, body), "genuine");
    assert.equal(await judge("slack", key, 1_531_420_618, headers, body.replace("road", "toad")), "refused");
  });
});

suite("Against the senders' own libraries", () => {
  test("what Stripe's library accepts is genuine, and what it refuses is not", async () => {
    const { webhooks } = new Stripe("no key of anybody");
    const time = begun + 10;
    const header = (signs: string[]): string => [`t=${time}`, ...signs].join(",");
    const body = '{"object":"event"}';
    const right = `v1=${hmac(textKey, `${time}.${body}`)}`;
    const wrong = `v1=${hmac("another", `${time}.${body}`)}`;
    const lines = [
      header([right]),
      header([wrong, right]),
      header([right, "v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39"]),
      header([wrong]),
      header([right.replace("v1", "v0")]),
      header([]),
      right,
      `t=${time}`,
      "",
    ];
    for (const line of lines) {
      let accepted = true;
      try {
        webhooks.constructEvent(body, line, textKey, 300, undefined, time * 1000);
      } catch {
        accepted = false;
      }
      const kind = await kindOf(openChecks("stripe").send(body, { "stripe-signature": line }));
      assert.equal(kind === "genuine", accepted, line);
    }
  });

  test("what GitHub's library signs is genuine, and it agrees on what is not", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme", minLength: 1 }), fc.nat(70), async (body, place) => {
        const signature = await signGithub(textKey, body);
        const flipped = signature.replace(/./gs, (letter, at) =>
          at === place ? (letter === "0" ? "1" : "0") : letter,
        );
        for (const given of [signature, flipped]) {
          const accepted = await verifyGithub(textKey, body, given).catch(() => false);
          const kind = await kindOf(openChecks("github").send(body, { "x-hub-signature-256": given }));
          assert.equal(kind === "genuine", accepted, given);
        }
      }),
      { numRuns: 40 },
    );
  });

  test("what Standard Webhooks' library signs is genuine for any body", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "grapheme" }),
        fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/),
        async (body, id) => {
          const headers = senders.standard(body, begun + 10, standardKey, id);
          assert.equal(await kindOf(openChecks("standard").send(body, headers)), "genuine");
          assert.equal(await kindOf(openChecks("standard").send(`${body}.`, headers)), "refused");
        },
      ),
      { numRuns: 40 },
    );
  });
});

for (const scheme of schemes)
  suite(`A webhook signed as ${scheme} says`, () => {
    const sign = senders[scheme];
    const body = '{"id":1}';

    test("is genuine once it is signed rightly, and refused for another body, another key, and without a header", async () => {
      const { send, events } = openChecks(scheme);
      const headers = sign(body, begun + 10);
      assert.equal(await kindOf(send('{"id":2}', headers)), "refused");
      assert.equal(
        await kindOf(
          send(
            body,
            sign(body, begun + 10, scheme === "standard" ? standardKey.replace("Mf", "Ng") : "another"),
          ),
        ),
        "refused",
      );
      for (const name of Object.keys(headers).filter((one) => one !== "x-github-delivery")) {
        const { [name]: _gone, ...others } = headers;
        assert.equal(await kindOf(send(body, others)), "refused", name);
        assert.equal(await kindOf(send(body, { ...headers, [name]: "" })), "refused", name);
        assert.equal(await kindOf(send(body, { ...headers, [name]: "1".repeat(5000) })), "refused", name);
      }
      assert.equal(await kindOf(send(body, headers)), "genuine");
      assert.equal(events.filter(({ type }) => type === "webhook.accepted").length, 1);
      assert.ok(!JSON.stringify(events).includes(keyFor(scheme)));
    });

    test("is not genuine for any byte that is changed, in the body or in a header", async () => {
      const { send } = openChecks(scheme);
      const headers = sign(body, begun + 10);
      for (let at = 0; at < body.length; at++) {
        const other = `${body.slice(0, at)}${body[at] === "1" ? "2" : "1"}${body.slice(at + 1)}`;
        assert.equal(await kindOf(send(other, headers)), "refused", other);
      }
      for (const [name, text] of Object.entries(headers)) {
        if (name === "x-github-delivery") continue;
        for (let at = 0; at < text.length; at++) {
          const other = `${text.slice(0, at)}${text[at] === "1" ? "2" : "1"}${text.slice(at + 1)}`;
          assert.equal(
            await kindOf(send(body, { ...headers, [name]: other })),
            "refused",
            `${name}: ${other}`,
          );
        }
      }
    });

    test("is under way until it is settled; taken it is not taken again, on no route", async () => {
      const { send, checks } = openChecks(scheme);
      const headers = sign(body, begun + 10);
      const verdict = await send(body, headers);
      assert.equal(verdict.kind, "genuine");
      assert.equal(await kindOf(send(body, headers)), "under-way");
      await checks.settle((verdict as { ticket: string }).ticket, true);
      assert.equal(await kindOf(send(body, headers)), "refused");
      assert.equal(await kindOf(send(body, headers, "POST /other")), "refused");
      assert.equal(await kindOf(send(body, headers, "POST /plain")), "refused");
    });

    test("is new again if it was not taken, and if whoever asked never said how it went", async () => {
      const { send, checks, at } = openChecks(scheme);
      const headers = sign(body, begun + 10);
      const verdict = await send(body, headers);
      await checks.settle((verdict as { ticket: string }).ticket, false);
      assert.equal(await kindOf(send(body, headers)), "genuine");
      at(24);
      assert.equal(await kindOf(send(body, headers)), "under-way");
      at(26);
      assert.equal(await kindOf(send(body, headers)), "genuine");
    });

    test("of a hundred copies at once one is genuine", async () => {
      const { send } = openChecks(scheme);
      const headers = sign(body, begun + 10);
      const kinds = await Promise.all(Array.from({ length: 100 }, () => kindOf(send(body, headers))));
      assert.equal(kinds.filter((kind) => kind === "genuine").length, 1);
      assert.equal(kinds.filter((kind) => kind === "under-way").length, 99);
    });

    test("counts with the current key and the one before, and with no other", async () => {
      const next = scheme === "standard" ? standardKey.replace("Mf", "Ng") : "the next one";
      const { send, events } = openChecks(scheme, { keys: [next, keyFor(scheme)] });
      assert.equal(await kindOf(send(body, sign(body, begun + 10))), "genuine");
      assert.equal(await kindOf(send("{}", sign("{}", begun + 10, next, "msg_2"))), "genuine");
      const versions = events.map((event) => (event.type === "webhook.accepted" ? event.version : 0));
      assert.deepEqual(versions, [1, 2]);
    });

    test("is not judged without a key", async () => {
      const headers = sign(body, begun + 10);
      assert.equal(await kindOf(openChecks(scheme, { keys: [] }).send(body, headers)), "unavailable");
      assert.equal(await kindOf(openChecks(scheme, { keys: [""] }).send(body, headers)), "unavailable");
    });

    test("is refused, not let pass, when there is no room to remember it; and what is remembered stays", async () => {
      const { send, checks, at } = openChecks(scheme, { maxRemembered: 2 });
      const deliver = async (text: string): Promise<WebhookVerdict["kind"]> => {
        const verdict = await send(text, sign(text, begun + 10, keyFor(scheme), `msg_${text}`));
        if (verdict.kind === "genuine") await checks.settle(verdict.ticket, true);
        return verdict.kind;
      };
      assert.deepEqual(
        [await deliver("1"), await deliver("2"), await deliver("3")],
        ["genuine", "genuine", "unavailable"],
      );
      assert.deepEqual([await deliver("1"), await deliver("2")], ["refused", "refused"]);
      at(312);
      const late = await send("4", sign("4", begun + 312, keyFor(scheme), "msg_4"));
      assert.equal(late.kind, "genuine");
    });
  });

for (const scheme of schemes.filter((one) => one !== "github"))
  suite(`The time of a webhook signed as ${scheme} says`, () => {
    const sign = senders[scheme];
    const body = "{}";

    test("may be the tolerance behind or ahead of our clock, and no second more", async () => {
      const { send, at } = openChecks(scheme);
      at(1000);
      const kinds = [-301, -300, 300, 301].map((offset, index) =>
        kindOf(send(body, sign(body, begun + 1000 + offset, keyFor(scheme), `msg_${index}`))),
      );
      assert.deepEqual(await Promise.all(kinds), ["refused", "genuine", "genuine", "refused"]);
    });

    test("is remembered for as long as a copy would be in time, however far ahead it was signed", async () => {
      const { send, checks, at } = openChecks(scheme);
      const headers = sign(body, begun + 310);
      const verdict = await send(body, headers);
      await checks.settle((verdict as { ticket: string }).ticket, true);
      for (const time of [11, 310, 609, 610, 610.999]) {
        at(time);
        assert.equal(await kindOf(send(body, headers)), "refused", String(time));
      }
    });

    test("before we began to remember is judged by nobody: it may have been taken then", async () => {
      const { send } = openChecks(scheme);
      assert.equal(await kindOf(send(body, sign(body, begun - 1))), "unavailable");
      assert.equal(await kindOf(send("{ }", sign(body, begun - 1))), "refused");
    });

    test("can't be turned back: what was forgotten does not count again with our clock set back", async () => {
      const { send, checks, at } = openChecks(scheme);
      const headers = sign(body, begun + 10);
      await checks.settle(((await send(body, headers)) as { ticket: string }).ticket, true);
      at(5000);
      assert.equal(await kindOf(send("{ }", sign("{ }", begun + 5000, keyFor(scheme), "msg_2"))), "genuine");
      at(10);
      assert.notEqual(await kindOf(send(body, headers)), "genuine");
      assert.notEqual(await kindOf(send("[]", sign("[]", begun + 10, keyFor(scheme), "msg_3"))), "genuine");
    });

    test("is a number, written in one way", async () => {
      const { send } = openChecks(scheme);
      const headers = sign(body, begun + 10);
      for (const text of [
        "0",
        "-1",
        `0${begun + 10}`,
        `${begun + 10}.0`,
        ` ${begun + 10}`,
        "1e9",
        "NaN",
        "9".repeat(13),
      ]) {
        const changed = Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [name, value.replace(String(begun + 10), text)]),
        );
        assert.equal(await kindOf(send(body, changed)), "refused", text);
      }
    });
  });

suite("Standard Webhooks", () => {
  test("a delivery that was taken and is signed anew is repeated: its sender missed our answer", async () => {
    const { send, checks, at } = openChecks("standard");
    const verdict = await send("{}", senders.standard("{}", begun + 10));
    await checks.settle((verdict as { ticket: string }).ticket, true);
    at(40);
    assert.equal(await kindOf(send("{}", senders.standard("{}", begun + 40))), "repeated");
    assert.equal(await kindOf(send("{}", senders.standard("{}", begun + 10))), "refused");
  });

  test("several signatures: one that is right is enough, but nobody may have hundreds tried", async () => {
    const headers = senders.standard("{}", begun + 10);
    const right = headers["webhook-signature"] ?? "";
    const wrong = new Webhook(standardKey.replace("Mf", "Ng")).sign("msg_1", new Date(begun * 1000), "{}");
    const sendWith = (signature: string) =>
      kindOf(openChecks("standard").send("{}", { ...headers, "webhook-signature": signature }));
    assert.equal(await sendWith(`${wrong} v1a,AAAA ${right}`), "genuine");
    assert.equal(await sendWith(right.replace("v1,", "v1a,")), "refused");
    assert.equal(await sendWith(right.replace("v1,", "v2,")), "refused");
    assert.equal(await sendWith(`${`${wrong} `.repeat(9)}${right}`), "refused");
  });

  test("a name with a full stop is none: the signed text could be split in two ways", async () => {
    const key = new Webhook(standardKey);
    const time = begun + 10;
    const signature = key.sign("a", new Date(time * 1000), `${time}.{}`);
    const { send } = openChecks("standard");
    const moved = {
      "webhook-id": `a.${time}`,
      "webhook-timestamp": String(time),
      "webhook-signature": signature,
    };
    assert.equal(await kindOf(send("{}", moved)), "refused");
  });

  test("a key of less than 24 bytes is none", async () => {
    const short = ["whsec", "c2hvcnQ="].join("_");
    const checks = openChecks("standard", { keys: [short] });
    assert.equal(await kindOf(checks.send("{}", senders.standard("{}", begun + 10, short))), "unavailable");
  });
});

test("GitHub: another name for the delivery does not make it another", async () => {
  const { send, checks } = openChecks("github");
  const headers = senders.github("{}", 0);
  await checks.settle(((await send("{}", headers)) as { ticket: string }).ticket, true);
  assert.equal(await kindOf(send("{}", { ...headers, "x-github-delivery": "another" })), "refused");
});
