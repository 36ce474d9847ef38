/** How a process that serves for development asks for the next one: at once, or when something of the project was mended. */
export const againCodes = { now: 75, mended: 76 } as const;
