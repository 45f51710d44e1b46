require("fs").writeSync(1, "z".repeat(60000));
console.log();
console.log(process.stdout.writableHighWaterMark, process.stdout.isTTY);
