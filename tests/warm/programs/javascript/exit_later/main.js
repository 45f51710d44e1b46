process.exitCode = 3;
setTimeout(() => console.log("later"), 10);
process.on("beforeExit", () => console.log("before"));
