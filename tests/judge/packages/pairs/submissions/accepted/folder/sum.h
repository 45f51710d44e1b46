// Shared by both sources.
long half(long number);
