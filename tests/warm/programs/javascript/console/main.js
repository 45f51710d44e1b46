console.table([{ a: 1, b: "x" }]);
console.group("group");
console.dir({ a: { b: { c: { d: 1 } } } });
console.groupEnd();
console.assert(false, "no");
console.count();
console.count();
console.log("%s|%d|%j|%o|%%", "s", 1.5, { a: 1 }, [1]);
console.log(new Map([[1, { a: [1, 2, { b: 3 }] }]]), new Set("ab"), class A {}, Symbol("x"), 10n, -0, [, 1], new Date(0));
