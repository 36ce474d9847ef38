/** The version of the wire. A group is started from bundles of the same installation, so that one is enough. */
export const callVersion = 1;

/** Who calls, as the gateway verified it. */
export interface FunctionCaller {
  readonly subject: string;
  readonly roles: readonly string[];
  /** Undefined: nothing in particular was agreed on. */
  readonly scopes?: readonly string[] | undefined;
  /** Undefined: none is known. */
  readonly tenant?: string | undefined;
}

/** Names and what their schemas made of them; a value is JSON. */
export type CallFields = Readonly<Record<string, unknown>>;

/** Texts by name, from the contract. */
export type FunctionSettings = Readonly<Record<string, string>>;

/** A checked request on its way to a function: the JSON of `POST /call/<function>`. */
export interface FunctionCall {
  readonly version: typeof callVersion;
  /** The request's, as it stands in the log. */
  readonly id: string;
  /** The route's key, by which a function of several routes knows what it is asked. */
  readonly route: string;
  /** As their schemas read them, like all that follows. Empty if the path has none. */
  readonly params: CallFields;
  readonly query: CallFields;
  /** Those that the route takes, lower-case. */
  readonly headers: CallFields;
  /** What the contract says that it works with. */
  readonly settings: FunctionSettings;
  /** Absent if there is none. A form's is an object of its fields. */
  readonly body?: unknown;
  /** Absent: nobody said who calls. */
  readonly caller?: FunctionCaller | undefined;
}

/** A call that nobody made but the clock: the JSON of `POST /scheduled/<function>`. */
export interface ScheduledCall {
  readonly version: typeof callVersion;
  readonly id: string;
  /** When it was due, in milliseconds since 1970. */
  readonly dueMs: number;
  /** What the contract says that it works with. */
  readonly settings: FunctionSettings;
}

/** Marks an answer that says that the function threw. Functions can't set it: names of ours are left out of their headers. */
export const failureHeader = "x-curtainwall-failure";

/** Where a function of a group is called. */
export const callPath = (name: string): string => `/call/${name}`;
/** Where it is told that time has come. */
export const scheduledPath = (name: string): string => `/scheduled/${name}`;
/** Answers 204 while the function's event loop turns. */
export const pingPath = (name: string): string => `/ping/${name}`;

/**
 * Reads a call, trusting its sender with nothing. A text says why it is none.
 */
export function parseCall(value: unknown): FunctionCall | string {
  if (!isObject(value)) return "it is no object";
  const { version, id, route, params, query, headers, settings, caller } = value;
  if (version !== callVersion) return `its version is not ${callVersion}`;
  if (!isText(id) || !isText(route)) return "it has no id, or no route";
  if (!isObject(params) || !isObject(query) || !isObject(headers))
    return "params, query and headers are not all objects";
  if (!isSettings(settings)) return "its settings are not texts";
  if (caller !== undefined && !isCaller(caller)) return "its caller has no subject, or no roles";
  const whole = { version, id, route, params, query, headers, settings } as const;
  return {
    ...whole,
    ...("body" in value ? { body: value["body"] } : {}),
    ...(caller === undefined ? {} : { caller }),
  };
}

/** Reads what {@link ScheduledCall} says. A text says why it is none. */
export function parseScheduledCall(value: unknown): ScheduledCall | string {
  if (!isObject(value)) return "it is no object";
  const { version, id, dueMs, settings } = value;
  if (version !== callVersion) return `its version is not ${callVersion}`;
  if (!isText(id)) return "it has no id";
  if (typeof dueMs !== "number" || !Number.isFinite(dueMs)) return "it does not say when it was due";
  if (!isSettings(settings)) return "its settings are not texts";
  return { version, id, dueMs, settings };
}

/** Done, or refused. Nothing else is a function's to say: redirects are `location` of a declared status, and failures are ours. */
export function isAnswerStatus(status: number): boolean {
  return (status >= 200 && status <= 204) || (status >= 400 && status <= 499);
}

const isText = (value: unknown): value is string => typeof value === "string";

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);

const isSettings = (value: unknown): value is FunctionSettings =>
  isObject(value) && Object.values(value).every(isText);

function isCaller(value: unknown): value is FunctionCaller {
  if (!isObject(value)) return false;
  const { subject, roles, scopes, tenant } = value;
  return (
    isText(subject) &&
    isTexts(roles) &&
    (scopes === undefined || isTexts(scopes)) &&
    (tenant === undefined || isText(tenant))
  );
}
