import type { TextPlace } from "../../requests/text-places.ts";

/** Where an address of ours leads: the listener's port, the mark that it is known by, and the site's own name. */
interface Ours {
  readonly mark: string;
  readonly port: number;
  readonly site: string;
}

/** How an address of ours is written: what filters of hosts are known to take for another. */
export type Form = readonly [name: string, write: (ours: Ours) => string];

const plain: Form = ["an address", ({ mark, port }) => `http://127.0.0.1:${port}/${mark}`];

/** Where any text is taken, somebody may follow what looks like an address. */
const inAnyText: readonly Form[] = [
  plain,
  ["behind an @", ({ mark, port }) => `@127.0.0.1:${port}/${mark}`],
  ["without a scheme", ({ mark, port }) => `//127.0.0.1:${port}/${mark}`],
  ["one number", ({ mark, port }) => `http://2130706433:${port}/${mark}`],
];

/** Where addresses are expected, somebody may look at what they lead to. */
const asAddress: readonly Form[] = [
  ...inAnyText,
  ["a name", ({ mark, port }) => `http://localhost:${port}/${mark}`],
  ["over TLS", ({ mark, port }) => `https://localhost:${port}/${mark}`],
  ["IPv6", ({ mark, port }) => `http://[::1]:${port}/${mark}`],
  ["IPv4 in IPv6", ({ mark, port }) => `http://[::ffff:127.0.0.1]:${port}/${mark}`],
  ["octal", ({ mark, port }) => `http://0177.0.0.1:${port}/${mark}`],
  ["short", ({ mark, port }) => `http://127.1:${port}/${mark}`],
  ["the site as its user", ({ mark, port, site }) => `http://${site}@127.0.0.1:${port}/${mark}`],
  ["the site behind a #", ({ mark, port, site }) => `http://127.0.0.1:${port}/${mark}#@${site}/`],
  ["a backslash", ({ mark, port, site }) => `http://127.0.0.1:${port}\\@${site}/${mark}`],
  ["encoded", ({ mark, port }) => encodeURIComponent(`http://127.0.0.1:${port}/${mark}`)],
  ["gopher", ({ mark, port }) => `gopher://127.0.0.1:${port}/_GET%20/${mark}%20HTTP/1.0%0d%0a%0d%0a`],
];

/** Who makes a PDF or a preview of a text fetches what its markup names. */
const markup: Form = ["markup", ({ mark, port }) => `<img src="http://127.0.0.1:${port}/${mark}">`];

/** Names of fields that hold addresses. */
const urlLike =
  /ur[li]|link|href|callback|hook|image|avatar|picture|photo|icon|logo|banner|cover|thumb|media|document|attachment|site|feed|host|server|domain|path|file|src|source|target|redirect|next|return|dest|proxy|fetch|endpoint|origin/i;

/** An address of HTTP in parts, its text as it stands: scheme, host and port, and the rest. */
const address = /^(https?:\/\/)([^/?#@\\\s]+)([!-~]*)$/i;
const ending = /\.[a-z\d]{2,5}$/i;

/**
 * What a place is sent: every form where addresses are expected, some where any text is taken, one where the schema refuses it, for that it does is API-3's
 * other checks'. What is made of the sample is sent where the schema takes it.
 */
export function formsFor(place: TextPlace): readonly Form[] {
  const { field, value = "", takes } = place;
  const isTaken = ([, write]: Form): boolean => takes(write({ mark: "mark", port: 65535, site: "site" }));
  return [...usual(field, value, isTaken), ...[...likeSample(value), markup].filter(isTaken)];
}

function usual(field: string, value: string, isTaken: (form: Form) => boolean): readonly Form[] {
  if (urlLike.test(field) || address.test(value)) return asAddress;
  return isTaken(plain) ? inAnyText : [plain];
}

/** Who looks for a part of an address instead of reading it takes ours for one like the sample: it begins, ends or goes on in the same way. */
function likeSample(value: string): Form[] {
  const [, scheme, host, rest] = address.exec(value) ?? [];
  if (scheme !== undefined && host !== undefined) return likeAddress(value, scheme, host, rest ?? "");
  const [end] = ending.exec(value) ?? [];
  if (end === undefined) return [];
  return [
    ["an address that ends as the sample", ({ mark, port }) => `http://127.0.0.1:${port}/${mark}/x${end}`],
    ["a query that ends as the sample", ({ mark, port }) => `http://127.0.0.1:${port}/${mark}?x=${end}`],
  ];
}

function likeAddress(value: string, scheme: string, host: string, rest: string): Form[] {
  const name = host.replace(/:\d+$/, "");
  return [
    [
      "the sample's host as its user",
      ({ mark, port }) => `${scheme}${host}@127.0.0.1:${port}/${mark}${rest}`,
    ],
    [
      "the sample's host before its own",
      ({ mark, port }) => `${scheme}${name}.localhost:${port}/${mark}${rest}`,
    ],
    ["the sample's host behind a #", ({ mark, port }) => `http://127.0.0.1:${port}/${mark}#@${host}${rest}`],
    ["the sample's host in its path", ({ mark, port }) => `http://127.0.0.1:${port}/${mark}/${host}${rest}`],
    ["the sample in its query", ({ mark, port }) => `http://127.0.0.1:${port}/${mark}?x=${value}`],
    [
      "one number, and the sample in its query",
      ({ mark, port }) => `http://2130706433:${port}/${mark}?x=${value}`,
    ],
    [
      "a backslash before the sample's host",
      ({ mark, port }) => `http://127.0.0.1:${port}\\@${host}/${mark}${rest}`,
    ],
  ];
}
