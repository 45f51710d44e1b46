long half(long number);
