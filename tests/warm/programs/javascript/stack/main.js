console.log(new Error("here").stack.replaceAll(__dirname, ""));
console.trace("trace");
