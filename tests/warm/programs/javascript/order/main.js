setTimeout(() => console.log("timeout"));
setImmediate(() => console.log("immediate"));
process.nextTick(() => console.log("tick"));
Promise.resolve().then(() => console.log("then"));
queueMicrotask(() => console.log("microtask"));
console.log("main");
for (const end = Date.now() + 20; Date.now() < end;);
