/** A function of a group, as its process runs it. */
export interface GroupMember {
  readonly name: string;
  /** Its bundle's name in the folder of the configuration. */
  readonly file: string;
}

/** Options of {@link workerdConfig}. */
export interface WorkerdConfigOptions {
  /** One at least. */
  readonly members: readonly GroupMember[];
  /** Where egress listens for this group, as the process sees it. Undefined: every request of a function fails. */
  readonly egress: string | undefined;
  /** Where the group listens, like `unix:/run/group.sock`. Default: on a descriptor, `--socket-fd group=<fd>`. */
  readonly address?: string;
}

/** The name of the group's only listener, for `--socket-fd`. */
export const groupSocket = "group";

/** Says to egress which function of a group asks. Whatever a function puts there is overwritten. */
export const functionHeader = "x-curtainwall-function";

/** How workerd reads code. Fixed: another one can change what a function does, and so is a change of its program. */
const compatibilityDate = "2026-07-30";
const compatibilityFlags = ["nodejs_compat", "enable_request_signal"];

/** A group of several is reached through this; functions of a group can't reach one another. */
const routerSource = `export default {
  fetch(request, functions) {
    const [, kind, name = ""] = new URL(request.url).pathname.split("/");
    if (kind === "ping" && name === "") return new Response(null, { status: 204 });
    return Object.hasOwn(functions, name) ? functions[name].fetch(request) : new Response(null, { status: 404 });
  },
};
`;

/**
 * Writes the configuration of a group's process: a service for each function with nothing bound, whose requests all go to egress under its
 * name, one listener, and no other way out.
 */
export function workerdConfig({ members, egress, address = "" }: WorkerdConfigOptions): string {
  const [only, ...others] = members;
  const hasRouter = others.length > 0;
  const entry = hasRouter || only === undefined ? "router" : serviceOf(only.name);
  const services = [
    ...members.flatMap((member) => memberServices(member, egress)),
    ...(hasRouter ? [routerService(members)] : []),
    // Its own "internet" is there unless it is overridden, and reads the system's authorities.
    '(name = "internet", network = (allow = [], deny = ["0.0.0.0/0", "::/0"])),',
  ];
  const at = address === "" ? "" : `address = ${text(address)}, `;
  return [
    'using Workerd = import "/workerd/workerd.capnp";',
    "const config :Workerd.Config = (",
    "  services = [",
    ...services.map((service) => `    ${service}`),
    "  ],",
    `  sockets = [(name = ${text(groupSocket)}, ${at}http = (), service = ${text(entry)})],`,
    ");",
    "",
  ].join("\n");
}

const serviceOf = (name: string): string => `fn-${name}`;

function memberServices({ name, file }: GroupMember, egress: string | undefined): string[] {
  const outbound = egress === undefined ? "internet" : `egress-${name}`;
  const worker = `(name = ${text(serviceOf(name))}, worker = (modules = [(name = "function.js", esModule = embed ${text(file)})], ${compatibility()}, globalOutbound = ${text(outbound)})),`;
  if (egress === undefined) return [worker];
  const identity = `(name = ${text(functionHeader)}, value = ${text(name)})`;
  return [
    worker,
    `(name = ${text(outbound)}, external = (address = ${text(egress)}, http = (style = proxy, injectRequestHeaders = [${identity}]))),`,
  ];
}

function routerService(members: readonly GroupMember[]): string {
  const bindings = members.map(({ name }) => `(name = ${text(name)}, service = ${text(serviceOf(name))})`);
  return `(name = "router", worker = (modules = [(name = "router.js", esModule = ${text(routerSource)})], ${compatibility()}, globalOutbound = "internet", bindings = [${bindings.join(", ")}])),`;
}

const compatibility = (): string =>
  `compatibilityDate = ${text(compatibilityDate)}, compatibilityFlags = [${compatibilityFlags.map(text).join(", ")}]`;

/** A text as Cap'n Proto's schema language writes it: whatever it holds, it ends where it should. */
function text(value: string): string {
  const bytes = new TextEncoder().encode(value);
  let written = '"';
  for (const byte of bytes) {
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
    written += isPlain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return `${written}"`;
}
