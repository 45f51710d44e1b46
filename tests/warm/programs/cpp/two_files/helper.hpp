void hello();
