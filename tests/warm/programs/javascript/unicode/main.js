console.log("naïve 日本 🐍", Buffer.from("é"), "\ud800");
process.stdout.write("no newline");
