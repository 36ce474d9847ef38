import assert from "node:assert/strict";
import { test } from "node:test";
import { Secret } from "../../../shared/index.ts";
import { createScramClient } from "./scram.ts";

/** RFC 7677 §3; its user is left out here, as PostgreSQL has it, so the proof is another. */
const nonce = "rOprNGfwEbeRWgbNEkqO";
const challenge = Buffer.from(`r=${nonce}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`);
const open = () => createScramClient(new Secret("pencil"), undefined, nonce);

test("a proof has the form of RFC 7677's, and the password is not in it", async () => {
  const client = open();
  assert.equal(client.first.toString(), `n,,n=,r=${nonce}`);
  const answer = (await client.answer(challenge)).toString();
  assert.match(
    answer,
    /^c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj\)hNlF\$k0,p=[A-Za-z0-9+/]{43}=$/,
  );
  assert.ok(!answer.includes("pencil"));
});

test("a server that does not know the password is not believed", async () => {
  const client = open();
  assert.ok(!client.isServer(Buffer.from("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")));
  await client.answer(challenge);
  for (const final of ["v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "v=", "e=other-error", "", "v=AAAA"])
    assert.ok(!client.isServer(Buffer.from(final)), final);
});

test("a challenge with another's nonce, none added, or few or endless rounds is refused", async () => {
  for (const text of [
    "",
    "e=unknown-user",
    `r=another,s=AAAA,i=4096`,
    `r=${nonce},s=AAAA,i=4096`,
    `r=${nonce}x,s=AAAA,i=1`,
    `r=${nonce}x,s=AAAA,i=4095`,
    `r=${nonce}x,s=AAAA,i=999999999`,
    `r=${nonce}x,s=AAAA,i=-4096`,
    `r=${nonce}x,i=4096`,
    `m=ext,r=${nonce}x,s=AAAA,i=4096`,
    `r=${nonce}x,s=AAAA,i=4096,m=ext`,
  ])
    await assert.rejects(open().answer(Buffer.from(text)), text);
});
