/* tests/test_go_swiss_indirect.c, with keys and elements of a group apart. */
#define GO_SPLIT_GROUPS
#include "tests/test_go_swiss_indirect.c"
