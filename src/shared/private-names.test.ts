import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isExampleEnvironment, privateKind } from "./private-names.ts";

const named: Record<string, string[]> = {
  environment: [
    ".env",
    ".ENV",
    ".env~",
    ".env-prod",
    ".env_prod",
    ".env.production.local",
    ".env.bak",
    "..env.swp",
    ".envrc",
    ".dev.vars",
    ".dev.vars.production",
    "prod.env",
    "config/Prod.Env.old",
    ".env/bin/activate",
    "env.production",
    ".env ",
  ],
  history: [".git/", ".git", "sub/.git/config", ".svn/", ".gitmodules", ".bash_history"],
  key: ["server.pem", "tls/site.KEY", "key.jks", "a.p12.bak", "id_rsa", "keys/id_ed25519", "id_rsa.old"],
  credentials: [
    ".git-credentials",
    ".pypirc",
    ".npmrc.bak",
    ".npmrc",
    "#.netrc#",
    "terraform.tfstate",
    "infra.tfstate.backup",
    "prod.tfvars",
    ".config/gh/hosts.yml",
    ".config/gh/",
    ".aws/credentials",
  ],
  state: [".curtainwall/", ".curtainwall/edge/assertion.key.json"],
};

suite("names that tell what must neither be published nor read by a build", () => {
  for (const [kind, paths] of Object.entries(named))
    for (const path of paths) test(`${path}: ${kind}`, () => assert.equal(privateKind(path), kind));
});

suite("honest names are nobody's secret", () => {
  for (const path of [
    "src/env.ts",
    "environment.ts",
    "env.d.ts",
    "env/index.html",
    "keys.ts",
    "keyboard.key/index.html",
    "assets/key.svg",
    "monkey.png",
    "id_card",
    "id_rsa.pub",
    "certificate.crt",
    ".config/astro.json",
    "git/index.html",
    "package.json",
    ".gitignore",
    "chapter.1",
    "",
  ])
    test(path, () => assert.equal(privateKind(path), undefined));

  test("an example of an environment file is private to publish, and made to be read", () => {
    for (const path of [".env.example", "a/.env.sample", ".ENV.TEMPLATE", "example.env"]) {
      assert.ok(isExampleEnvironment(path), path);
      assert.equal(privateKind(path), "environment");
    }
    for (const path of [".env", ".env.production", "prod.env", ".env.example.local"])
      assert.ok(!isExampleEnvironment(path), path);
  });
});
