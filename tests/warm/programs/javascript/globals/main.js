console.log(Object.getOwnPropertyNames(globalThis).join(), Reflect.ownKeys(process).length, typeof gc);
console.log(process.eventNames(), process.getActiveResourcesInfo(), process.env, process.cwd() === __dirname, process.features);
