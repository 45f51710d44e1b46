process.on("SIGTERM", () => {
  console.log("got it");
  process.exit(4);
});
setTimeout(() => {}, 5000);
process.kill(process.pid, "SIGTERM");
