import("./helper.mjs").then((m) => console.log(m.f(2)));
