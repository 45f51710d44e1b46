const helper = require("./helper");
console.log(helper.f(1), module.children.length);
helper.g();
