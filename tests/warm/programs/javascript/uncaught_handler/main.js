process.on("uncaughtException", (error, origin) => console.log("caught", error.message, origin));
setTimeout(() => console.log("after"), 5);
null.x;
