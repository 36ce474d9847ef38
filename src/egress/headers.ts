/** Has the key, percent-encoded, of the route that the edge sends something for. */
export const routeHeader = "x-curtainwall-route";
/** Has the name of the function that a runner sends something for. */
export const functionHeader = "x-curtainwall-function";
/** Says, with a code, that an answer is egress' own and no service's. */
export const refusalHeader = "x-curtainwall-error";
