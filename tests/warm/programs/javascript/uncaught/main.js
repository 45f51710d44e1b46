function inner(x) {
  return x.y.z;
}

function outer() {
  inner({});
}

outer();
