/** Something in an answer that tells about the inside of the server. */
export interface Leak {
  what: string;
  excerpt: string;
}

/** All are linear: no nested or overlapping repetition, and none without a bound that could begin anew at each character of what it repeats. */
const patterns: readonly (readonly [what: string, pattern: RegExp])[] = [
  [
    "a stack frame",
    /\bat (?:async )?[\w.<>$[\] ]{1,80} ?\(?(?:file:\/\/|\/|[A-Z]:\\|node:)[^\s)]{1,200}:\d{1,9}:\d{1,9}/,
  ],
  ["a stack frame", /\bat (?:file:\/\/|node:)[^\s)]{1,200}:\d+/],
  ["a Python traceback", /Traceback \(most recent call last\)/],
  ["a Java stack frame", /\bat (?:[a-z]\w{0,40}\.){2,8}\w{1,80}\(\w{1,80}\.java:\d{1,9}\)/],
  ["a PHP error", /\bin \/[^\s]{1,200}\.php on line \d+/],
  [
    "a path of the server",
    /(?:^|[\s"'(=:])(?:\/(?:home|root|usr|var|etc|opt|srv|tmp|app|work|Users)\/[\w.-]{1,80}\/|[A-Z]:\\{1,2}[\w.-]{1,80}\\)/,
  ],
  ["a path of the server", /\bnode_modules\/|node:internal\//],
  [
    "SQL",
    // Keywords in capitals, or lower case with what no prose has: "select a loaf from the shelf" is English.
    /\bSELECT\s[\w*,. "`]{1,200}\sFROM\s|\bINSERT\s+INTO\s+["`\w]|\bUPDATE\s+["`\w]{1,60}\s+SET\s|\bDELETE\s+FROM\s+["`\w]|\bselect \* from\s|\binsert into \w{1,60} \(/,
  ],
  [
    "an error of a database",
    /SQLITE_[A-Z]+|\bno such (?:table|column): |\bUNIQUE constraint failed|\bsyntax error at or near "|\bER_[A-Z_]{4,40}\b|ORA-\d{5}/,
  ],
  [
    "the name of an exception",
    /\b(?:TypeError|ReferenceError|RangeError|SyntaxError|ZodError|JWTExpired|JOSEError|JWSSignatureVerificationFailed)\b/,
  ],
  ["an address inside", /\bE(?:CONNREFUSED|NOTFOUND|HOSTUNREACH|CONNRESET)\b|\bconnect \S{1,80}:\d+/],
  [
    "a version",
    /\b(?:nginx|Apache|Express|Node\.js|PHP|OpenSSL|Caddy|Kestrel|Werkzeug|gunicorn)\/v?\d+\.\d+/i,
  ],
];

/** Finds what an answer tells about the inside of the server. */
export function findLeaks(text: string): Leak[] {
  return patterns.flatMap(([what, pattern]) => {
    const match = pattern.exec(text);
    return match === null ? [] : [{ what, excerpt: match[0].trim() }];
  });
}

const talkative = new Set([
  "x-powered-by",
  "x-aspnet-version",
  "x-aspnetmvc-version",
  "x-runtime",
  "x-generator",
]);

/** Finds headers that tell what the server is made of. */
export function findHeaderLeaks(headers: readonly (readonly [string, string])[]): Leak[] {
  return headers.flatMap(([name, value]) =>
    talkative.has(name) || isExplanation(name, value) || (name === "server" && /\d\.\d/.test(value))
      ? [{ what: `the header ${name}`, excerpt: `${name}: ${value}` }]
      : [],
  );
}

/** A sentence in a header that no standard knows was written for somebody inside: why something was refused, or what went wrong. */
const isExplanation = (name: string, value: string): boolean =>
  name.startsWith("x-") && sentence.test(value) && !policies.has(name);

/** Four words, looked for where a word begins and nowhere else: from each letter of a long one it would take the square of its length. */
const sentence = /(?<![a-z])(?:[a-z]+[ ,]+){3}[a-z]/i;

/** Former names of the policy, whose words are its own. */
const policies = new Set(["x-content-security-policy", "x-webkit-csp"]);
