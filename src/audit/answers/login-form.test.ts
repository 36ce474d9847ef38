import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseForm, fillForm, findForms } from "./login-form.ts";

const page = `
  <form action="/search"><input name="q"></form>
  <form action="/sign-in" method="POST">
    <input type="hidden" name="csrf" value="abc&amp;def">
    <input type="text" name="nickname_hint"><input type="email" name="email">
    <input type="password" name="pw"><input type="checkbox" name="stay" value="1">
    <button type="button" name="show">Show</button>
    <button name="action" value="continue">Sign in</button><button name="action" value="abort">Cancel</button>
  </form>`;

test("the form that asks for a password is filled in as a browser would send it", () => {
  const form = chooseForm(findForms(page));
  assert.ok(form !== undefined);
  assert.equal(form.action, "/sign-in");
  assert.equal(
    fillForm(form, { username: "alice", password: "p w" }).toString(),
    "csrf=abc%26def&nickname_hint=alice&email=&pw=p+w&action=continue",
  );
});

test("without a password the first form that is posted is taken: a consent", () => {
  const form = chooseForm(
    findForms(
      '<form action="/find"></form><form method=post action="/yes"><input type=hidden name=ok value=1></form>',
    ),
  );
  assert.equal(form?.action, "/yes");
});

test("a page without a form has none", () => {
  assert.equal(chooseForm(findForms("<p>Welcome</p>")), undefined);
});
