const reader = require("readline").createInterface({ input: process.stdin });
let n = 0;
reader.on("line", (line) => console.log(n++, line));
reader.on("close", () => console.log("closed"));
