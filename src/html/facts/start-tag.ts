import type { AttributeFact, ScriptFact, Span } from "./page-facts.ts";

/** A start tag as a reader understood it, with the text of its element where that counts. Readers differ in how they get here, never in what follows. */
export interface StartTag {
  /** Lower case, without a prefix. */
  readonly name: string;
  readonly namespace: "html" | "svg" | "math";
  readonly tag: Span;
  /** The first of each name. */
  readonly attributes: readonly AttributeFact[];
  /** Inside a `<template>` or a `<noscript>`. */
  readonly isInert: boolean;
  /** Of a `<script>` or `<style>`. */
  readonly content: ElementText | undefined;
}

/** What stands between two tags. */
export interface ElementText {
  readonly element: Span;
  readonly content: Span;
  readonly text: string;
}

/** A start tag that is asked for its attributes. */
export interface ElementRead extends StartTag {
  readonly attribute: (name: string) => AttributeFact | undefined;
  readonly script: ScriptFact | undefined;
}
