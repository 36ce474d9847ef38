import type { PageFacts, ResourceFact, ResourceKind } from "../../html/index.ts";
import { tellOwn } from "./admit-script.ts";
import { allowOrigin, noteMissing } from "./draft.ts";
import type { DocumentDraft } from "./draft.ts";
import type { MissingFile } from "./page-report.ts";
import type { Directive } from "../policy/policy.ts";
import { secureOrigin } from "../site/site-view.ts";

/** The directive that decides about a kind of resource. Scripts and styles have their own ways. */
const directiveOf: Partial<Record<ResourceKind, Directive>> = {
  image: "img-src",
  // A request for an SVG that is used has the destination "image" (SVG 2 §5.5, Fetch §2.2.7).
  "svg-use": "img-src",
  media: "media-src",
  track: "media-src",
  font: "font-src",
  frame: "frame-src",
  object: "object-src",
  manifest: "manifest-src",
  worker: "worker-src",
  fetch: "connect-src",
  ping: "connect-src",
  form: "form-action",
  // prefetch-src is gone: what any directive allows may be prefetched (CSP 3 §6.1.1 since 2023).
  prefetch: "connect-src",
};

/** What is a file of the site for certain: frames and forms may lead to what a server answers by itself. */
const fileOf: Partial<Record<ResourceKind, MissingFile["kind"]>> = {
  image: "picture",
  "svg-use": "picture",
  media: "media file",
  track: "media file",
  font: "font",
  manifest: "manifest",
};

/** Allows what else a document loads, frames and sends to: the site by `'self'`, other sites by their exact origin. */
export function allowResources(draft: DocumentDraft): void {
  const { page, facts, addresses } = draft;
  for (const resource of facts.resources) {
    const directive = directiveOf[resource.kind];
    if (directive === undefined || isOwnPart(resource, facts)) continue;
    const target = addresses.resolve(resource.address);
    if (target === undefined) continue;
    // What an object shows, a picture in SVG too, is a document of its own: Chromium asks both.
    if (resource.kind === "object" && target.kind === "site") page.policy.allow("frame-src", "'self'");
    if (resource.kind === "object" && target.kind === "foreign") allowOrigin(page, "frame-src", target.url);
    if (target.kind === "site") {
      page.policy.allow(directive, "'self'");
      const file = fileOf[resource.kind];
      if (file !== undefined && page.view.find(target.path) === undefined)
        noteMissing(page, file, target.path);
      const worker = resource.kind === "worker" ? page.view.find(target.path) : undefined;
      if (worker !== undefined) tellOwn(page, worker);
      if (resource.kind === "frame" || resource.kind === "object") page.frames.add(target.path);
    } else if (target.kind === "foreign") allowOrigin(page, directive, target.url);
    else if (target.url.protocol === "data:" || target.url.protocol === "blob:")
      page.policy.allow(directive, target.url.protocol);
    if (resource.kind === "frame" && target.kind !== "opaque") allowFeatures(draft, resource, target.url);
    if (resource.kind === "media")
      for (const feature of ["fullscreen", "picture-in-picture", "autoplay"])
        addFeature(draft, feature, "self");
  }
  if (facts.submitsToItself) page.policy.allow("form-action", "'self'");
  allowBase(draft);
  // Browsers ask for it without being told to.
  if (page.view.find("/favicon.ico") !== undefined) page.policy.allow("img-src", "'self'");
}

/** A part of this very document, as in `<use href="#leaf">`: nothing is fetched. With a `<base>`, browsers differ. */
const isOwnPart = ({ kind, address }: ResourceFact, { base }: PageFacts): boolean =>
  kind === "svg-use" && address.startsWith("#") && base === undefined;

/** `<base>` may only say what it says now. */
function allowBase({ page, facts, addresses }: DocumentDraft): void {
  if (facts.base === undefined) return;
  const target = addresses.resolve(facts.base, addresses.page);
  if (target?.kind === "site") page.policy.allow("base-uri", "'self'");
  else if (target?.kind === "foreign") allowOrigin(page, "base-uri", target.url);
}

/** What a frame's `allow` hands on, the page must have: `Permissions-Policy` is asked first. */
function allowFeatures(draft: DocumentDraft, { attribute }: ResourceFact, url: URL): void {
  const tag = new TextDecoder().decode(draft.facts.bytes.subarray(attribute.tag.from, attribute.tag.to));
  const [, double, single, bare] = /\sallow\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/i.exec(tag) ?? [];
  const features = (double ?? single ?? bare ?? "").split(";").flatMap((part) => part.trim().split(/\s+/, 1));
  if (/\sallowfullscreen\b/i.test(tag)) features.push("fullscreen");
  const origin = secureOrigin(url);
  for (const feature of features) {
    if (!/^[a-z-]+$/.test(feature)) continue;
    addFeature(draft, feature, "self");
    if (origin !== undefined) addFeature(draft, feature, JSON.stringify(origin));
  }
}

function addFeature({ page }: DocumentDraft, feature: string, origin: string): void {
  const origins = page.features.get(feature) ?? new Set();
  page.features.set(feature, origins.add(origin));
}
