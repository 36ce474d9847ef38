import { findAddedAddresses, findHosts } from "./script-addresses.ts";
import { findConnections } from "./script-connections.ts";
import type { Connections } from "./script-connections.ts";
import { findImports } from "./script-imports.ts";
import type { ImportFact } from "./script-imports.ts";
import { findStyles } from "./script-styles.ts";
import { makesCode } from "./script-code.ts";
import type { ScriptStyles } from "./script-styles.ts";
import { findWorkers } from "./script-workers.ts";
import type { ScriptWorkers } from "./script-workers.ts";

/** What a script does that a policy has to know: what it can be seen to do, and where that can't be seen. */
export interface ScriptFacts {
  /** What it imports, in order. */
  readonly imports: readonly ImportFact[];
  readonly connections: Connections;
  /** Ways of turning text into markup or script, by their names: what Trusted Types would refuse. */
  readonly sinks: readonly string[];
  /** Addresses of other sites from which it seems to add something to its page. */
  readonly adds: readonly string[];
  /** Hosts of the addresses that stand in its text. */
  readonly hosts: readonly string[];
  /** Puts script elements with an address into the page. */
  readonly loadsScripts: boolean;
  readonly styles: ScriptStyles;
  /** Makes code from strings, which no policy of ours allows. */
  readonly makesCode: boolean;
  readonly usesWebAssembly: boolean;
  readonly workers: "none" | "file" | "blob";
  /** Which files it runs there. */
  readonly runs: ScriptWorkers;
  /** What it makes that fetches something, beside scripts and styles. */
  readonly makes: ReadonlySet<"image" | "frame" | "media" | "form">;
  /** Shows other pages without loading them, as routers of applications do. */
  readonly changesPages: boolean;
  /** Opens windows, or looks at the one that opened its page. */
  readonly usesOtherWindows: boolean;
  /** Features that need a permission, by their names in `Permissions-Policy`. */
  readonly features: readonly string[];
}

/** Words that tell that a script is worth reading closely; most small ones have none of them. */
const sinkWords: readonly (readonly [name: string, pattern: RegExp])[] = [
  ["innerHTML", /\binnerHTML\b/],
  ["outerHTML", /\bouterHTML\b/],
  ["insertAdjacentHTML", /\binsertAdjacentHTML\b/],
  ["document.write", /\bwrite(?:ln)?["'`\]]*\s*\(/],
  ["eval", /\beval\b/],
  ["Function", /\bFunction\s*\(/],
  ["setTimeout with a text", /\bset(?:Timeout|Interval)\s*\(\s*["'`]/],
  ["DOMParser", /\bparseFromString\b/],
  ["createContextualFragment", /\bcreateContextualFragment\b/],
  ["srcdoc", /\bsrcdoc\b/i],
  ["setHTMLUnsafe", /\b(?:set|parse)HTMLUnsafe\b/],
  ["Worker", /\b(?:Shared)?Worker\s*\(/],
  ["importScripts", /\bimportScripts\b/],
  ["serviceWorker", /\bserviceWorker\b/],
  ["execCommand", /\bexecCommand\b/],
  ["a script element", /createElement(?:NS)?\s*\([^)]{0,80}["'`]script["'`]/i],
  ["setAttribute with a name that is not written out", /\bsetAttribute(?:NS)?\s*\(\s*(?!\s|["'`])/],
  ["an event handler as a text", /\bsetAttribute(?:NS)?\s*\(\s*["'`]on/i],
  ["trustedTypes", /\btrustedTypes\b/],
];

const featureWords: readonly (readonly [feature: string, pattern: RegExp])[] = [
  ["fullscreen", /\brequestFullscreen\b|\bwebkitRequestFull/i],
  ["geolocation", /\bgeolocation\b/],
  ["camera", /\bgetUserMedia\b/],
  ["microphone", /\bgetUserMedia\b/],
  ["display-capture", /\bgetDisplayMedia\b/],
  ["payment", /\bPaymentRequest\b/],
  ["screen-wake-lock", /\bwakeLock\b/],
  ["picture-in-picture", /\brequestPictureInPicture\b/],
  ["publickey-credentials-get", /\bPublicKeyCredential\b/],
  ["accelerometer", /\bAccelerometer\b|\bdevicemotion\b|\bdeviceorientation\b/],
  ["gyroscope", /\bGyroscope\b|\bdeviceorientation\b/],
  ["autoplay", /\.play\s*\(|\bautoplay\b/i],
  ["midi", /\brequestMIDIAccess\b/],
  ["usb", /\bnavigator\.usb\b/],
];

/**
 * Reads a script without running it. It errs on one side: what it can't see through counts as done, so that a page is rather listed
 * as weaker than broken; and what it does not see at all is blocked, not allowed.
 *
 * @param asModule whether it is one; a classic script that can't be read as such is tried as a module
 */
export function inspectScript(source: string, asModule: boolean): ScriptFacts {
  return {
    imports: findImports(source, asModule),
    connections: findConnections(source, asModule),
    sinks: sinkWords.filter(([, pattern]) => pattern.test(source)).map(([name]) => name),
    adds: findAddedAddresses(source),
    hosts: findHosts(source),
    loadsScripts: /createElement(?:NS)?\s*\([^)]{0,80}["'`]script["'`]/i.test(source),
    styles: findStyles(source),
    makesCode: makesCode(source, asModule),
    usesWebAssembly: /\bWebAssembly\s*\./.test(source),
    workers: workersOf(source),
    runs: findWorkers(source, asModule),
    makes: new Set([
      ...(/\bnew Image\b|<img\b|["'`]img["'`]|\bbackground(?:Image|-image)?\b/i.test(source)
        ? ["image" as const]
        : []),
      ...(/["'`]iframe["'`]|<iframe\b/i.test(source) ? ["frame" as const] : []),
      ...(/\bnew Audio\b|["'`](?:audio|video)["'`]|<(?:audio|video)\b/i.test(source)
        ? ["media" as const]
        : []),
      ...(/["'`]form["'`]|<form\b|\.submit\s*\(/i.test(source) ? ["form" as const] : []),
    ]),
    changesPages: /\bpushState\b|\bnavigation\.navigate\b/.test(source),
    usesOtherWindows: /\bwindow\.open\b|\bopener\b/.test(source),
    features: featureWords.filter(([, pattern]) => pattern.test(source)).map(([feature]) => feature),
  };
}

function workersOf(source: string): ScriptFacts["workers"] {
  if (!/\b(?:Shared)?Worker\s*\(|\bserviceWorker\b/.test(source)) return "none";
  return /\bcreateObjectURL\b/.test(source) ? "blob" : "file";
}
