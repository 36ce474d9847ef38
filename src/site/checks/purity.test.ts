import assert from "node:assert/strict";
import { test } from "node:test";
import { isPure } from "./purity.ts";
import { parseSource } from "./template-syntax.ts";

const pure = (source: string): boolean => isPure(parseSource("templates/page.tsx", source));

test("a template that only uses what it is given is pure", () => {
  for (const source of [
    "export function page({ entry }) { return <p>{entry.data.title}</p>; }",
    "const format = new Intl.DateTimeFormat('en'); export const day = (text: string) => format.format(new Date(text));",
    "export const most = Math.max(1, 2);",
    "export const script = <script>{`window.x = Date.now()`}</script>;",
    "export const at = Date.UTC(2026, 1);",
  ])
    assert.ok(pure(source), source);
});

test("a template that reads a clock, chance or the environment is not", () => {
  for (const source of [
    "export const year = () => new Date().getFullYear();",
    "export const now = () => Date.now();",
    "export const now = () => Date();",
    "const D = Date; export const now = () => new D();",
    "export const any = () => Math.random();",
    "export const any = () => Math['random']();",
    "const { random } = Math; export const any = () => random();",
    "export const home = () => process.env.HOME;",
    "export const home = () => globalThis.process;",
    "export const today = () => new Intl.DateTimeFormat().format();",
    "export const late = () => import('./other.ts');",
    "export const here = import.meta.dirname;",
    "let count = 0; export const next = () => count++;",
    "export let count = 0;",
    "var count = 0;",
  ])
    assert.ok(!pure(source), source);
});
