/**
 * Targets that no browser sends and that servers tidy up, each in its way: empty and dot segments, slashes, backslashes and
 * control characters in disguise. For PCRE and RE2, case ignored; the edge's rule.
 */
export const oddTarget = "^[^?]*?(?:/(?:/|(?:\\.|%2e){1,2}(?:[/?]|$))|%2f|%5c|\\\\|%[01][0-9a-f]|%7f)";
