let n = 0;
(function f() {
  n++;
  f();
})();
