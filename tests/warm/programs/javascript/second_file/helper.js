exports.f = (n) => n + 1;
exports.g = () => {
  throw new RangeError("in the second file");
};
