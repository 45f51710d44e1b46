export const f = (n) => n * 2;
