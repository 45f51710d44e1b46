export const f = (n) => {
  throw new Error("later " + n);
};
