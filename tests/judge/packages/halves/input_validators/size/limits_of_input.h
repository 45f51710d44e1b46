// Beside the source that includes it.
#define MOST 1000000000L
