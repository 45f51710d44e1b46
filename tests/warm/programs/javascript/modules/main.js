console.log(Object.keys(require.cache).map((x) => x.split("/").pop()), require.main === module, module.id, module.parent, module.children);
console.log(__filename.endsWith("/main.js"), require("module").builtinModules.length, process._preload_modules);
console.log(Object.keys(require("module")._pathCache).map((x) => x.split("/").pop()), Object.keys(require.extensions));
