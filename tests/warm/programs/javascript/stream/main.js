process.stdin.on("data", (part) => console.log("part", part.length)).on("end", () => console.log("end"));
