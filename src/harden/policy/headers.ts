import { baseSecurityHeaders, inertPolicy } from "../../contract/index.ts";
import type { Header } from "../../contract/index.ts";
import type { Classified } from "../site/classify.ts";
import { isNamedByHash } from "../site/classify.ts";
import type { PageSettings } from "../page/draft.ts";
import type { PageNeeds } from "../page/harden-page.ts";
import type { ScriptFacts } from "../inspect/inspect-script.ts";

/** A file, as far as its headers depend on it. */
export interface FileForHeaders {
  readonly path: string;
  readonly classified: Classified;
  /** `utf-8`, or what its bytes must be in. */
  readonly charset: string;
  /** The page's policy, as the header carries it. For other files the right one is found here. */
  readonly policy?: string;
  /** What is reported and not stopped. */
  readonly reportOnly?: string | undefined;
  readonly settings: PageSettings;
  readonly needs?: PageNeeds;
  /** A page of the site frames it. */
  readonly framed: boolean;
  /** What it does, if it is a script: it may be a worker, which has the policy of its own file. */
  readonly script?: ScriptFacts;
}

const noNeeds: PageNeeds = { features: [], foreignFrames: false, otherWindows: false };

/** Every header of a file's 200: content type, caching, security. */
export function fileHeaders(file: FileForHeaders): Header[] {
  const { path, classified, framed, reportOnly, needs = noNeeds } = file;
  const { reportTo } = file.settings;
  const policy = file.policy ?? policyOf(file);
  return [
    ["content-type", classified.text ? `${classified.type}; charset=${file.charset}` : classified.type],
    ["cache-control", isNamedByHash(path) ? "public, max-age=31536000, immutable" : "no-cache"],
    ["content-security-policy", framed ? framedPolicy(policy) : policy],
    ...(reportOnly === undefined
      ? []
      : [["content-security-policy-report-only", reportOnly] satisfies Header]),
    ...(file.policy === undefined || reportTo === undefined
      ? []
      : [["reporting-endpoints", `csp="${reportTo}"`] satisfies Header]),
    ...baseSecurityHeaders.map((header) => adjusted(header, framed, needs)),
  ];
}

/** Lets the site itself frame what it frames. */
function framedPolicy(policy: string): string {
  return policy.replace("frame-ancestors 'none'", "frame-ancestors 'self'");
}

function adjusted([name, value]: Header, framed: boolean, needs: PageNeeds): Header {
  switch (name) {
    // A foreign site's subdomains are none of our business; they may not speak HTTPS.
    case "strict-transport-security":
      return [name, "max-age=63072000"];
    case "x-frame-options":
      return [name, framed ? "SAMEORIGIN" : value];
    // Players and maps of other sites refuse to work when they aren't told who embeds them.
    case "referrer-policy":
      return [name, needs.foreignFrames ? "strict-origin-when-cross-origin" : value];
    case "cross-origin-opener-policy":
      return [name, needs.otherWindows ? "same-origin-allow-popups" : value];
    case "permissions-policy":
      return [name, permissions(value, needs)];
    default:
      return [name, value];
  }
}

function permissions(value: string, { features }: PageNeeds): string {
  if (features.length === 0) return value;
  const wanted = new Map(features);
  return value
    .split(", ")
    .map((rule) => {
      const feature = rule.slice(0, rule.indexOf("="));
      const origins = wanted.get(feature);
      return origins === undefined ? rule : `${feature}=(${origins.join(" ")})`;
    })
    .join(", ");
}

/** The policy of what is no page: as a document it can do nothing, but what it is for still works. */
function policyOf({ classified, script, settings }: FileForHeaders): string {
  switch (classified.kind) {
    // Inert as a picture anyway; opened by itself or framed, it keeps its styles and runs nothing.
    case "svg":
      return "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-popups allow-top-navigation-by-user-activation";
    // Browsers show these in a document of their own, which a sandbox or `default-src 'none'` would leave empty.
    case "pdf":
      return "object-src 'self'; script-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    case "media":
      return "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    case "script":
      return script === undefined
        ? inertPolicy
        : workerPolicy(script, settings.evalAllowed === true && script.makesCode);
    default:
      return inertPolicy;
  }
}

/** A worker has the policy of its own file (HTML §10.2.4): as a script of a page, a file's policy says nothing. */
function workerPolicy(script: ScriptFacts, evaluates: boolean): string {
  const imports = script.imports.length > 0 || script.sinks.includes("importScripts");
  const connects = script.connections.addresses.length > 0 || script.connections.unknown.length > 0;
  if (!imports && !connects && !evaluates && !script.usesWebAssembly)
    return inertPolicy.replace("; sandbox", "");
  const scripts = [
    ...(imports ? ["'self'"] : []),
    ...(evaluates ? ["'unsafe-eval'"] : []),
    ...(script.usesWebAssembly ? ["'wasm-unsafe-eval'"] : []),
  ];
  return [
    "default-src 'none'",
    `script-src ${scripts.length === 0 ? "'none'" : scripts.join(" ")}`,
    ...(connects ? ["connect-src 'self'"] : []),
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  ].join("; ");
}
