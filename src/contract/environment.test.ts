import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { z } from "zod";
import { isCurtainwallError, revealSecret, Secret } from "../shared/index.ts";
import { defineStack } from "./define.ts";
import { assertEnvironment, guardedValues, readEnvironment } from "./environment.ts";
import { parseContract } from "./parse.ts";

const publicEnv = z.object({ SHOP_NAME: z.string().max(10), SHOP_OPEN: z.stringbool().default(false) });
const privateEnv = z.object({
  CMS_TOKEN: z
    .string()
    .refine((value) => value.startsWith("t-"), { error: (issue) => `got ${String(issue.input)}` }),
});
const origin = "https://www.site.example";
const contract = parseContract(defineStack({ origin, publicEnv, privateEnv }));
const good = { SHOP_NAME: "Rye", CMS_TOKEN: "t-4711-bread" };

const codeOf = (run: () => unknown): [string, string] => {
  try {
    run();
  } catch (error) {
    if (isCurtainwallError(error)) return [error.code, `${error.message} ${error.hint ?? ""}`];
    throw error;
  }
  return assert.fail("nothing was thrown");
};

suite("readEnvironment", () => {
  test("gives public values as their schemas make them, and private ones as secrets", () => {
    const env = readEnvironment({ publicEnv, privateEnv }, good);
    const name: string = env.public.SHOP_NAME;
    const open: boolean = env.public.SHOP_OPEN;
    assert.deepEqual([name, open], ["Rye", false]);
    assert.ok(env.private.CMS_TOKEN instanceof Secret);
    assert.equal(
      `${String(env.private.CMS_TOKEN)} ${JSON.stringify(env.private)}`,
      '[secret] {"CMS_TOKEN":"[secret]"}',
    );
    assert.equal(revealSecret(env.private.CMS_TOKEN), good.CMS_TOKEN);
  });

  test("reads no variable that is not asked for: a process without secrets can load the contract", () => {
    const read: string[] = [];
    const variables = new Proxy<Record<string, string>>(good, {
      get(target, name) {
        read.push(String(name));
        return target[String(name)];
      },
    });
    const env = readEnvironment({ publicEnv, privateEnv }, variables);
    assert.equal(env.public.SHOP_NAME, "Rye");
    assert.deepEqual(read, ["SHOP_NAME"]);
  });

  test("names the variable and never its value, whatever its schema says", () => {
    const env = readEnvironment({ publicEnv, privateEnv }, { CMS_TOKEN: "hunter2-hunter2" });
    const [code, said] = codeOf(() => env.private.CMS_TOKEN);
    assert.equal(code, "CONTRACT_ENVIRONMENT_INVALID");
    assert.match(said, /^The environment variable CMS_TOKEN is set, and not as its schema describes it\./);
    assert.doesNotMatch(said, /hunter2/);
    assert.match(codeOf(() => env.public.SHOP_NAME)[1], /SHOP_NAME is not set/);
  });
});

suite("assertEnvironment", () => {
  test("passes a good environment", () => assertEnvironment(contract, good));

  test("tells everything that is wrong at once", () => {
    const [, said] = codeOf(() => assertEnvironment(contract, { SHOP_NAME: "far too long a name" }));
    assert.match(said, /2 problems\.\n {2}SHOP_NAME is set, and not .*\n {2}CMS_TOKEN is not set/);
  });

  test("refuses a public value that is also a private one", () => {
    const [, said] = codeOf(() =>
      assertEnvironment(contract, { SHOP_NAME: "t-12345678", CMS_TOKEN: "t-12345678" }),
    );
    assert.match(said, /SHOP_NAME is public and has the value of CMS_TOKEN/);
    assert.doesNotMatch(said, /t-1234/);
  });
});

suite("guardedValues", () => {
  const guard = (variables: Record<string, string>): [string, string][] =>
    guardedValues(contract, variables).map(({ name, rule }) => [name, rule]);

  test("are the private ones, and what nobody declared and looks like a secret", () => {
    assert.deepEqual(
      guard({
        ...good,
        STRIPE_SECRET_KEY: "x",
        DATABASE_URL: "postgres://app:pass@db/x",
        npm_config__authToken: "y",
        VITE_ADMIN: "z",
      }),
      [
        ["CMS_TOKEN", "private-value"],
        ["STRIPE_SECRET_KEY", "environment-value"],
        ["DATABASE_URL", "environment-value"],
        ["npm_config__authToken", "environment-value"],
        ["VITE_ADMIN", "environment-value"],
      ],
    );
  });

  test("are not what is public, empty, or of the system", () => {
    assert.deepEqual(
      guard({
        SHOP_NAME: "Rye",
        API_KEY: "",
        SITE_KEY: "Rye",
        PATH: "/bin",
        PWD: "/srv/x",
        SSH_AUTH_SOCK: "/run/x",
        MONKEY: "m",
        SIGNING_PUBLIC_KEY: "k",
      }),
      [],
    );
  });
});

suite("in the contract", () => {
  const refused = (options: object): string =>
    codeOf(() => parseContract(defineStack({ origin, ...options })))[1];

  test("a name in both is refused, and a private one that bundlers would publish", () => {
    assert.match(
      refused({ publicEnv, privateEnv: z.object({ SHOP_NAME: z.string() }) }),
      /SHOP_NAME is in publicEnv and in privateEnv/,
    );
    assert.match(
      refused({ privateEnv: z.object({ VITE_KEY: z.string() }) }),
      /begins with VITE_.*Call it KEY/,
    );
  });

  test("what is no object schema is refused", () => {
    assert.match(refused({ publicEnv: { A: "b" } }), /publicEnv must be z\.object/);
    assert.match(refused({ publicEnv: z.string() }), /publicEnv must be z\.object/);
    assert.match(
      refused({ publicEnv: z.object({ "no-name": z.string() }) }),
      /can't be the name of a variable/,
    );
  });

  test("an exception of the leak gate needs a rule, a path, a reason and a day", () => {
    const entry = {
      rule: "private-file",
      path: "a.pem",
      reason: "a public certificate",
      expires: "2027-01-31",
    };
    const { leaks, weakenings } = parseContract(defineStack({ origin, leaks: { allow: [entry] } }));
    assert.deepEqual(leaks, { allow: [entry], publicSourceMaps: [], canaries: [] });
    assert.deepEqual(weakenings, [{ at: "leaks.allow[0].reason", reason: entry.reason }]);
    for (const bad of [
      { ...entry, expires: "2027-02-30" },
      { ...entry, expires: "soon" },
      { ...entry, reason: "ok" },
      { ...entry, reason: undefined },
      { ...entry, rule: "" },
      { ...entry, path: undefined },
      { ...entry, paths: [] },
      "a.pem",
      null,
    ])
      assert.match(refused({ leaks: { allow: [bad] } }), /leaks\.allow\[0\]/);
    assert.match(refused({ leaks: { allow: "all" } }), /leaks\.allow must be a list/);
  });
});
