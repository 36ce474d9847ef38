/** A way to name two things in one path segment, or one in a way that is compared as another. As it stands in a path. */
export interface Spelling {
  name: string;
  raw: string;
}

const encode = encodeURIComponent;

/** Spellings of what is somebody else's, in a segment where one's own is expected. */
export function spellings(own: string, others: string): Spelling[] {
  const [mine, theirs] = [encode(own), encode(others)];
  const first = (others.codePointAt(0) ?? 0).toString(16).padStart(2, "0");
  const upper = others.toUpperCase();
  const lower = others.toLowerCase();
  return [
    { name: "through a way back (/../)", raw: `${mine}/../${theirs}` },
    { name: "through an encoded way back", raw: `${mine}%2f..%2f${theirs}` },
    { name: "through a way back encoded twice", raw: `${mine}%252f..%252f${theirs}` },
    { name: "through a way back with backslashes", raw: `${mine}%5c..%5c${theirs}` },
    { name: "after its own and a comma", raw: `${mine},${theirs}` },
    { name: "after its own and a line feed", raw: `${mine}%0a${theirs}` },
    { name: "after its own and a zero byte", raw: `${mine}%00${theirs}` },
    { name: "as a parameter of the path", raw: `${mine};${theirs}` },
    { name: "before a zero byte", raw: `${theirs}%00` },
    { name: "with a blank behind it", raw: `${theirs}%20` },
    { name: "with a blank before it", raw: `%20${theirs}` },
    { name: "with a slash behind it", raw: `${theirs}%2f` },
    { name: "with a question mark behind it", raw: `${theirs}%3f` },
    { name: "with a file's ending", raw: `${theirs}.json` },
    { name: "with its first letter encoded", raw: `%${first}${theirs.slice(first.length > 2 ? 0 : 1)}` },
    { name: "as anything (*)", raw: "*" },
    ...(upper === others ? [] : [{ name: "in capitals", raw: encode(upper) }]),
    ...(lower === others ? [] : [{ name: "in small letters", raw: encode(lower) }]),
  ];
}

/** Queries that name what is somebody else's beside a path that names one's own. */
export function besideQueries(param: string, own: string, others: string): Spelling[] {
  const [mine, theirs] = [encode(own), encode(others)];
  return [
    { name: `as ?${param}=`, raw: `${param}=${theirs}` },
    { name: `after its own, ?${param}= twice`, raw: `${param}=${mine}&${param}=${theirs}` },
    { name: `before its own, ?${param}= twice`, raw: `${param}=${theirs}&${param}=${mine}` },
    { name: `as a list, ?${param}[]=`, raw: `${param}[]=${mine}&${param}[]=${theirs}` },
    { name: `among many, ?${param}=a,b`, raw: `${param}=${mine},${theirs}` },
    { name: `in a structure, ?${param}[$ne]=`, raw: `${param}[$ne]=${mine}` },
  ];
}
