console.log("out");
process.abort();
