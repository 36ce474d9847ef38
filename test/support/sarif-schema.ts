import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import draft4 from "ajv-draft-04";

const file = new URL(
  "../../node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json",
  import.meta.url,
);

const isDate = (text: string): boolean =>
  /^\d{4}-\d\d-\d\dT.*Z$/.test(text) && !Number.isNaN(Date.parse(text));
/** RFC 3986 §2: what else stands in a URI is percent-encoded. */
const isReference = (text: string): boolean =>
  /^(?:[\w\-.~:/?#[\]@!$&'()*+,;=]|%[\dA-Fa-f]{2})*$/.test(text) &&
  URL.canParse(text, "https://base.invalid");

const validate = new draft4.default({
  allErrors: true,
  // One of its patterns is none with the flag.
  unicodeRegExp: false,
  formats: {
    "date-time": isDate,
    uri: (text) => isReference(text) && URL.canParse(text),
    "uri-reference": isReference,
  },
}).compile(JSON.parse(readFileSync(file, "utf8")));

/** Holds a report for code scanning to the schema of SARIF 2.1.0. */
export function assertSarif(text: string): void {
  const isValid = validate(JSON.parse(text));
  assert.deepEqual(
    isValid ? [] : validate.errors?.map(({ instancePath, message }) => `${instancePath} ${message}`),
    [],
  );
}
