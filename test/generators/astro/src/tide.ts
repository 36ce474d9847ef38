export const highWater = (hour: number): string => `around ${hour}:20`;
