const fs = require("fs");
fs.writeFileSync("x.txt", "abc");
console.log(fs.readdirSync("."), fs.statSync("x.txt").size);
fs.promises.readFile("gone").catch((e) => console.log(e.code, e.message));
