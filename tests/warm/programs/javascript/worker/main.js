const { Worker, isMainThread, parentPort, workerData } = require("worker_threads");
if (isMainThread) {
  const worker = new Worker(__filename, { workerData: 4 });
  worker.on("message", (m) => console.log("message", m)).on("exit", (code) => console.log("exit", code));
} else {
  parentPort.postMessage([workerData, process.argv.length, process.execArgv, Object.keys(require.cache).length]);
}
