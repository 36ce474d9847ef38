import { splice } from "../../html/index.ts";
import type { Edit, PageKind, PageOutline, Span } from "../../html/index.ts";
import { inserted, planPage } from "./harden-page.ts";
import type { HardenedPage, PageContext, PagePlan } from "./harden-page.ts";
import type { SiteView } from "../site/site-view.ts";

/**
 * Hardens one page, as {@link hardenPage} does. What was found out about a page of the same kind and folder counts for it too: all
 * that is left to do then is to make the changes.
 *
 * @param into where the page's bytes are put if there is room; whoever gives it has no other use for it until these have been used
 */
export function hardenOutline(outline: PageOutline, context: PageContext, into?: Uint8Array): HardenedPage {
  const { kind } = outline;
  const known = kind === undefined ? undefined : recall(kind, context);
  if (known !== undefined) return { bytes: change(outline, known.changes, into), ...known.result };
  const plan = planPage(outline.facts(), context);
  const changes = kind !== undefined && plan.isShared ? changesOf(plan, outline) : undefined;
  if (kind !== undefined && changes !== undefined) remember(kind, context, { changes, result: plan.result });
  const edits = [...plan.edits, ...inserted(outline, plan.headStart, plan.headEnd)];
  return { bytes: splice(outline.bytes, edits), ...plan.result };
}

/** What all pages of a kind have in common, in one folder of one site. */
interface SharedPlan {
  /** In the order of the page. */
  readonly changes: readonly Change[];
  readonly result: PagePlan["result"];
}

/** A change of any page of a kind. */
interface Change {
  /** The number of the place in which it lies, or one of the head's ends. */
  readonly place: number;
  /** From the start of the place. */
  readonly span: Span;
  readonly replacement: Uint8Array;
}

const atHeadStart = -1;
const atHeadEnd = -2;

/** A plan, and what else has to be the same for it to hold, beside the site, the kind and the folder. */
interface Circumstances {
  readonly context: PageContext;
  readonly plan: SharedPlan;
}

/** Plans by the folder in which a kind stands: its relative addresses lead elsewhere from others. */
type PlansOfKind = Map<string, Circumstances>;

/** Forgotten with the site, or with the kind. */
const plans = new WeakMap<SiteView, WeakMap<PageKind, PlansOfKind>>();
const maxFolders = 256;

const folderOf = ({ path }: PageContext): string => path.slice(0, path.lastIndexOf("/") + 1);

function recall(kind: PageKind, context: PageContext): SharedPlan | undefined {
  const known = plans.get(context.view)?.get(kind)?.get(folderOf(context));
  return known !== undefined && isSameFor(context, known.context) ? known.plan : undefined;
}

function isSameFor(context: PageContext, other: PageContext): boolean {
  return (
    context.budget === other.budget &&
    context.learned === other.learned &&
    context.settings === other.settings &&
    context.declared === other.declared &&
    context.syntax === other.syntax
  );
}

function remember(kind: PageKind, context: PageContext, plan: SharedPlan): void {
  const kinds = plans.get(context.view) ?? new WeakMap<PageKind, PlansOfKind>();
  plans.set(context.view, kinds);
  const folders = kinds.get(kind) ?? new Map<string, Circumstances>();
  kinds.set(kind, folders);
  if (folders.size >= maxFolders) folders.clear();
  folders.set(folderOf(context), { context, plan });
}

const encoder = new TextEncoder();

/** A plan's edits by the places in which they lie, in the order of the page; undefined if one lies in none. */
function changesOf({ edits, headStart, headEnd }: PagePlan, outline: PageOutline): Change[] | undefined {
  const changes: { readonly written: Span; readonly change: Change }[] = [];
  const add = (place: number, from: number, { span, replacement }: Edit): void => {
    const change = {
      place,
      span: { from: span.from - from, to: span.to - from },
      replacement: encoder.encode(replacement),
    };
    changes.push({ written: span, change });
  };
  for (const edit of edits) {
    const place = outline.places.findLastIndex(({ from }) => from <= edit.span.from);
    const around = outline.places[place];
    if (around === undefined || edit.span.to > around.to) return undefined;
    add(place, around.from, edit);
  }
  for (const edit of inserted(outline, headStart, "")) add(atHeadStart, outline.headStart, edit);
  for (const edit of inserted(outline, "", headEnd)) add(atHeadEnd, outline.headEnd, edit);
  return changes
    .toSorted(({ written: left }, { written: right }) => left.from - right.from || left.to - right.to)
    .map(({ change }) => change);
}

/** Makes the changes in a page of the kind. */
function change(page: PageOutline, changes: readonly Change[], into: Uint8Array | undefined): Uint8Array {
  const { bytes } = page;
  if (changes.length === 0) return bytes;
  let length = bytes.length;
  for (const { span, replacement } of changes) length += replacement.length - (span.to - span.from);
  const result =
    into !== undefined && into.length >= length ? into.subarray(0, length) : new Uint8Array(length);
  let read = 0;
  let written = 0;
  for (const { place, span, replacement } of changes) {
    const start = startOf(page, place);
    const from = start + span.from;
    result.set(bytes.subarray(read, from), written);
    written += from - read;
    result.set(replacement, written);
    written += replacement.length;
    read = start + span.to;
  }
  result.set(bytes.subarray(read), written);
  return result;
}

function startOf({ places, headStart, headEnd }: PageOutline, place: number): number {
  if (place === atHeadStart) return headStart;
  return place === atHeadEnd ? headEnd : (places[place]?.from ?? 0);
}
