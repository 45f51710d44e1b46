console.log(process.listenerCount("SIGINT"), process.listenerCount("exit"), Error.stackTraceLimit, Error.prepareStackTrace);
console.log(process.memoryUsage().heapTotal < 64e6, require("v8").getHeapStatistics().heap_size_limit);
