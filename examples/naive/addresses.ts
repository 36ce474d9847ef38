/** Where the app listens. */
export const appAddress = (): string => process.env.NAIVE_APP ?? "http://127.0.0.1:3000";
/** Where its login does. */
export const loginAddress = (): string => process.env.NAIVE_LOGIN ?? "http://127.0.0.1:3001";
