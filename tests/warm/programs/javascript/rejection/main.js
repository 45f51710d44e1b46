async function f() {
  throw new TypeError("nobody catches");
}
f();
