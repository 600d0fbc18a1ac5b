/* Structural traces of go_swiss_split: those of go_swiss, compiled with the keys and elements of a group
 * apart. */
#define GO_SPLIT_GROUPS
#define trace_go_swiss trace_go_swiss_split
#include "harness/goports/trace_swiss.c"
