import type { DetectorEntry, Finding } from "./detector.ts";
import { mask } from "./mask.ts";
import { base64Values } from "./runs.ts";
import { isInWord, isWord, latin1, looksMadeUp } from "./tokens.ts";

const encoder = new TextEncoder();
const needles = (...texts: string[]): Uint8Array[] => texts.map((text) => encoder.encode(text));

/** Tokens that a prefix and a pattern don't describe. */
export const specialTokenDetectors: readonly DetectorEntry[] = [
  { needles: needles("-----BEGIN "), detect: detectPrivateKey },
  // `{"` and a letter, in base64: where every JSON Web Token begins.
  {
    needles: needles(...Array.from("hijklmnopqrstuvwxyz0123456", (last) => `eyJ${last}`)),
    detect: detectJwt,
  },
  { needles: needles("AKIA", "ASIA"), detect: detectAws },
  { needles: needles("T3BlbkFJ"), detect: detectOldOpenAi },
  {
    needles: needles("-us1", "-us2", "-us3", "-us4", "-us5", "-us6", "-us7", "-us8", "-us9"),
    detect: detectMailchimp,
  },
];

/** Fewest base64 digits of a private key's body: an Ed25519 key in PKCS #8 has 64. Documents show less. */
const shortestKey = 60;

/** RFC 7468 and its elders: the words between the dashes, then the key in base64. */
function detectPrivateKey(bytes: Uint8Array, start: number): Finding | undefined {
  const header = /^-----BEGIN ((?:[A-Z0-9]+ ){0,3})PRIVATE KEY(?: BLOCK)?-----/.exec(
    latin1(bytes, start, start + 80),
  );
  if (header === null) return undefined;
  const body = keyBody(latin1(bytes, start + header[0].length, start + header[0].length + 4096));
  if (body.length < shortestKey || looksMadeUp(body.slice(0, shortestKey))) return undefined;
  return {
    level: "hit",
    rule: "token-private-key",
    from: start,
    to: start + header[0].length,
    message: `a private key (${header[1]?.trim().toLowerCase() || "PKCS #8"})`,
    excerpt: mask(body),
    hint: "Take it out, make a new pair of keys, and revoke the certificates of this one",
  };
}

/** The base64 digits that follow, over line ends however they are written (`\n` in JSON, a `"` and a `+` in scripts). */
function keyBody(text: string): string {
  let digits = "";
  let others = 0;
  for (let index = 0; index < text.length && others < 24 && digits.length < 400; index++) {
    const character = text.charAt(index);
    if (character === "-" && digits.length > 0) break;
    const breaksLine = character === "\\" && /[nr]/.test(text.charAt(index + 1));
    if (breaksLine) index++;
    // Legacy headers (`Proc-Type: …`) and PGP's `Version: …` are short; long prose between means that it is an example.
    if (!breaksLine && (base64Values[character.charCodeAt(0)] ?? -1) >= 0)
      [digits, others] = [digits + character, 0];
    else if (!/[\s"'+,\\]/.test(character)) others++;
  }
  return digits;
}

function detectJwt(bytes: Uint8Array, start: number): Finding | undefined {
  if (isInWord(bytes, start)) return undefined;
  const match = /^([\w-]{16,2000})\.([\w-]{8,6000})\.([\w-]{20,1000})/.exec(
    latin1(bytes, start, start + 9000),
  );
  if (match === null) return undefined;
  const [token, head = "", payload = "", signature = ""] = match;
  const header = readJson(head);
  if (typeof header?.alg !== "string" || header.alg === "none") return undefined;
  const claims = readJson(payload);
  if (claims === undefined && header.enc === undefined) return undefined;
  const harmless = whyHarmless(claims ?? {}, signature);
  return {
    level: harmless === undefined ? "hit" : "note",
    rule: "token-jwt",
    from: start,
    to: start + token.length,
    message: `a JSON Web Token${harmless === undefined ? "" : ` (${harmless})`}`,
    excerpt: mask(token),
    hint: "Take it out, and end the session or the key that it belongs to",
  };
}

function readJson(base64: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(atob(base64.replaceAll("-", "+").replaceAll("_", "/")));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Before the day when this was written: what expired then opens nothing, wherever and whenever a build runs. */
const longAgoSeconds = Date.UTC(2026, 0, 1) / 1000;

function whyHarmless(claims: Record<string, unknown>, signature: string): string | undefined {
  if (claims.role === "anon") return "of the role anon, which is made for browsers";
  if (typeof claims.exp === "number" && claims.exp < longAgoSeconds) return "expired long ago";
  if (claims.sub === "1234567890" || looksMadeUp(signature)) return "an example";
  return undefined;
}

/** An access key's id alone opens nothing; with its secret nearby it does. */
function detectAws(bytes: Uint8Array, start: number): Finding | undefined {
  if (isInWord(bytes, start)) return undefined;
  const id = /^[A-Z]{4}[A-Z2-7]{16}/.exec(latin1(bytes, start, start + 20))?.[0];
  if (id === undefined || isWord(bytes[start + 20]) || id.endsWith("EXAMPLE") || looksMadeUp(id.slice(4)))
    return undefined;
  const around = latin1(bytes, start - 300, start + 320);
  const secret = around
    .match(/(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])/g)
    ?.find((text) => /[a-z]/.test(text) && /[A-Z]/.test(text) && /\d/.test(text) && !looksMadeUp(text));
  return {
    level: "hit",
    rule: "token-aws",
    from: start,
    to: start + 20,
    message: secret === undefined ? "the id of an AWS access key" : "an AWS access key, id and secret",
    excerpt: mask(id),
    hint: "Deactivate it in IAM, look at what it was used for, and give the server a role instead",
  };
}

/** `sk-`, 20 characters, the mark, 20 more: until 2024. */
function detectOldOpenAi(bytes: Uint8Array, start: number): Finding | undefined {
  const from = start - 23;
  const token = /^sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}$/.exec(latin1(bytes, from, from + 51))?.[0];
  if (token === undefined || isInWord(bytes, from) || isWord(bytes[from + 51])) return undefined;
  return {
    level: "hit",
    rule: "token-openai",
    from,
    to: from + 51,
    message: "an OpenAI key",
    excerpt: mask(token),
    hint: "Revoke it at platform.openai.com/api-keys, make a new one, and keep that on the server",
  };
}

/** 32 hexadecimal digits, then the data centre. */
function detectMailchimp(bytes: Uint8Array, start: number): Finding | undefined {
  const token = /^[0-9a-f]{32}-us\d{1,2}/.exec(latin1(bytes, start - 32, start + 5))?.[0];
  if (
    token === undefined ||
    isInWord(bytes, start - 32) ||
    isWord(bytes[start - 32 + token.length]) ||
    looksMadeUp(token)
  )
    return undefined;
  return {
    level: "hit",
    rule: "token-mailchimp",
    from: start - 32,
    to: start - 32 + token.length,
    message: "a Mailchimp key",
    excerpt: mask(token),
    hint: "Revoke it on the account's API keys page at mailchimp.com",
  };
}
