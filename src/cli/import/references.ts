import { isMembers, member, textAt } from "./values.ts";
import type { Members } from "./values.ts";

/** What a `$ref` leads to, or why it leads nowhere. */
export type Target = { readonly found: unknown; readonly pointer: string } | { readonly fault: string };

/** Follows references inside one document. Nothing else is ever read: no file, no address. */
export interface References {
  /** Follows a `$ref` once. */
  follow(ref: string): Target;
  /** The object itself, or the one that its `$ref` leads to, however many lie between. */
  resolve(value: unknown): Members | undefined;
}

const maxHops = 32;

/** @see RFC 6901 (JSON Pointer), in its URI fragment form */
export function createReferences(document: unknown): References {
  function follow(ref: string): Target {
    if (!ref.startsWith("#")) return { fault: "leads out of the document" };
    const pointer = decode(ref.slice(1));
    if (pointer === undefined || !(pointer === "" || pointer.startsWith("/")))
      return { fault: "is no JSON pointer" };
    let found: unknown = document;
    for (const step of pointer.split("/").slice(1)) {
      const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
      found = Array.isArray(found) && /^\d{1,6}$/.test(name) ? found[Number(name)] : member(found, name);
    }
    return found === undefined ? { fault: "leads nowhere" } : { found, pointer };
  }

  return {
    follow,
    resolve(value) {
      let current = value;
      for (let hops = 0; hops < maxHops; hops++) {
        const ref = textAt(current, "$ref");
        if (ref === undefined) return isMembers(current) ? current : undefined;
        const target = follow(ref);
        if ("fault" in target) return undefined;
        current = target.found;
      }
      return undefined;
    },
  };
}

function decode(fragment: string): string | undefined {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return undefined;
  }
}
