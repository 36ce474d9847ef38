import { quoted, remark } from "./code.ts";
import type { References } from "./references.ts";
import { isMembers, listAt, member, membersAt, textAt } from "./values.ts";
import type { Members } from "./values.ts";

/** Who may call an operation, as code. */
export interface ImportedAccess {
  readonly code: string;
  /** Whether somebody still has to decide. */
  readonly isUndecided: boolean;
  readonly notes: readonly string[];
}

/** What the stack has to declare for the access of its routes. */
export interface Callers {
  /** Undefined: no route needs access tokens. */
  identity: { readonly issuer: string | undefined } | undefined;
  /** Undefined: no route takes API keys. */
  apiKeys: { readonly header: "authorization" | "x-api-key" } | undefined;
  /** Functions that the file imports. */
  readonly used: Set<"signedIn" | "scope" | "allOf" | "anyOf" | "undecided">;
}

/** Reads an operation's `security`. */
export type ReadAccess = (operation: Members) => ImportedAccess;

type Scheme =
  | { readonly kind: "token" }
  | { readonly kind: "key"; readonly note: string | undefined }
  | { readonly kind: "unknown"; readonly why: string };

const maxConditions = 10;

/** An operation for which the description asks for nothing is not open: somebody has to say so. */
export function createReadAccess(document: Members, references: References, callers: Callers): ReadAccess {
  const schemes = new Map(
    Object.entries(membersAt(member(document, "components"), "securitySchemes")).map(([name, value]) => [
      name,
      references.resolve(value),
    ]),
  );

  function undecided(why: string, notes: readonly string[] = []): ImportedAccess {
    callers.used.add("undecided");
    return { code: "undecided", isUndecided: true, notes: [...notes, `TODO decide who may call it: ${why}`] };
  }

  /** One requirement: all that it names. Undefined: none of ours fulfils it. */
  function readRequirement(
    requirement: unknown,
    notes: Set<string>,
    kinds: Set<Scheme["kind"]>,
  ): string | undefined {
    if (!isMembers(requirement)) return undefined;
    const parts: string[] = [];
    for (const name of Object.keys(requirement)) {
      const scheme = readScheme(schemes.get(name));
      if (scheme.kind === "unknown") {
        notes.add(`${remark(name)} is left out: ${scheme.why}`);
        return undefined;
      }
      kinds.add(scheme.kind);
      const scopes = listAt(requirement, name).filter(
        (scope) => typeof scope === "string" && scopeText.test(scope),
      ) as string[];
      if (scheme.kind === "key") {
        if (scheme.note !== undefined) notes.add(scheme.note);
        parts.push(...(scopes.length > 0 ? scopes : [scopeOf(name)]).map(scopeCode));
      } else parts.push(...(scopes.length === 0 ? ["signedIn"] : scopes.map(scopeCode)));
    }
    return join("allOf", parts);
  }

  const scopeCode = (scope: string): string => `scope(${quoted(scope)})`;

  function join(name: "allOf" | "anyOf", parts: readonly string[]): string | undefined {
    const unlike = [...new Set(parts)];
    if (unlike.length === 0 || unlike.length > maxConditions) return undefined;
    return unlike.length === 1 ? unlike[0] : `${name}(${unlike.join(", ")})`;
  }

  function readScheme(scheme: Members | undefined): Scheme {
    switch (textAt(scheme, "type")) {
      case "oauth2":
      case "openIdConnect":
        return { kind: "token" };
      case "http":
        return readHttp(textAt(scheme, "scheme")?.toLowerCase() ?? "");
      case "apiKey":
        return readKey(scheme as Members);
      case undefined:
        return { kind: "unknown", why: "the description does not say what it is" };
      default:
        return { kind: "unknown", why: `${remark(textAt(scheme, "type") ?? "")} is not known here` };
    }
  }

  function readHttp(scheme: string): Scheme {
    if (scheme === "bearer") return { kind: "token" };
    if (scheme === "apikey") return { kind: "key", note: undefined };
    return { kind: "unknown", why: `the gateway does not take ${remark(scheme)} credentials` };
  }

  function readKey(scheme: Members): Scheme {
    const place = textAt(scheme, "in");
    const name = textAt(scheme, "name")?.toLowerCase() ?? "";
    if (place === "cookie") return { kind: "unknown", why: "a cookie that says who calls is not taken" };
    if (place === "query")
      return {
        kind: "key",
        note: `keys came in the query (${remark(name)}), where they are seen; here they come in a header`,
      };
    if (name === "authorization") return { kind: "token" };
    return {
      kind: "key",
      note: name === "x-api-key" ? undefined : `keys came in ${remark(name)}; here they come in X-API-Key`,
    };
  }

  return (operation) => {
    const own = member(operation, "security");
    const asked = Array.isArray(own) ? own : listAt(document, "security");
    if (asked.length === 0)
      return undecided(
        Array.isArray(own)
          ? "the description lets in everybody (security: [])"
          : "the description asks for nothing",
      );
    if (asked.some((requirement) => isMembers(requirement) && Object.keys(requirement).length === 0))
      return undecided("to the description, who calls need not say who it is");
    const notes = new Set<string>();
    const kinds = new Set<Scheme["kind"]>();
    const ways = asked.map((requirement) => readRequirement(requirement, notes, kinds));
    const code = join(
      "anyOf",
      ways.flatMap((way) => way ?? []),
    );
    if (code === undefined) return undecided("none of its ways is known here", [...notes]);
    noteCallers(code, kinds);
    return { code, isUndecided: false, notes: [...notes] };
  };

  function noteCallers(code: string, kinds: ReadonlySet<Scheme["kind"]>): void {
    // Names of scopes are texts, and none of these.
    const words = code.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
    for (const name of ["signedIn", "scope", "allOf", "anyOf"] as const)
      if (new RegExp(`\\b${name}\\b`).test(words)) callers.used.add(name);
    const all = [...schemes.values()];
    if (kinds.has("key")) {
      const isOurs = all.some((scheme) => textAt(scheme, "scheme")?.toLowerCase() === "apikey");
      callers.apiKeys ??= { header: isOurs ? "authorization" : "x-api-key" };
    }
    if (kinds.has("token")) callers.identity ??= { issuer: issuerOf(all) };
  }
}

/** RFC 6749 §3.3 */
const scopeText = /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/;
const scopeOf = (name: string): string => name.replaceAll(/[^A-Za-z0-9:._-]+/g, "-").slice(0, 100) || "api";

/** The issuer, where the description tells of its discovery document (OpenID Connect Discovery 1.0 §4). */
function issuerOf(schemes: readonly (Members | undefined)[]): string | undefined {
  const ending = /\/?\.well-known\/(?:openid-configuration|oauth-authorization-server)$/;
  const urls = schemes
    .map((scheme) => textAt(scheme, "openIdConnectUrl") ?? "")
    .filter((url) => ending.test(url));
  const issuer = urls[0]?.replace(ending, "");
  return issuer !== undefined && URL.parse(issuer)?.protocol === "https:" ? issuer : undefined;
}
