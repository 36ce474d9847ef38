import assert from "node:assert/strict";
import { test } from "node:test";
import { domainUser, groupUser, jailUser } from "./isolation.ts";

const everyId = "0 0 4294967295\n";
const root = (uidMap: string) => ({
  status: "CapEff:\t000001ffffffffff\nSeccomp:\t0\n",
  uidMap,
  gidMap: uidMap,
  setgroups: "allow\n",
});

const domains = ["edge", "ledger", "vault", "egress", "functions"] as const;

test("each domain, each group and the builds of a site have a user of their own, which no system gives to anybody", () => {
  for (const site of ["/srv/bakery", "/srv/other"]) {
    const groups = [0, 1, 2, 4095].map((index) => groupUser(index, site, root(everyId)));
    const own = [...domains.map((domain) => domainUser(domain, site)), jailUser(site)];
    const uids = [...own, ...groups].map(({ uid }) => uid);
    assert.equal(new Set(uids).size, uids.length);
    assert.ok(own.every(({ uid, gid }) => uid === gid && uid >= 60_514 && uid < 61_184));
    assert.ok(groups.every(({ uid, gid }) => uid === gid && uid >= 65_536 && uid < 524_288));
  }
});

test("where 65 536 ids are mapped, all groups are one user that is no other domain's", () => {
  const few = root("0 100000 65536\n");
  const groups = [0, 1, 5000].map((index) => groupUser(index, "/srv/bakery", few).uid);
  assert.equal(new Set(groups).size, 1);
  const others = [...domains.map((domain) => domainUser(domain, "/srv/bakery")), jailUser("/srv/bakery")];
  assert.ok(others.every(({ uid }) => uid !== groups[0]));
});
