/* go_swiss_split: go_swiss with keys and elements apart, as GOEXPERIMENT=mapsplitgroup of Go 1.27 builds it
 * (off by default): a group is 8 control bytes, 8 keys, 8 elements, where go_swiss has 8 slots of a key and
 * an element. Slots have the same numbers, so both maps do the same; what a slot pads is not paid for: sets
 * and elements smaller than their key's alignment take less memory, and a probe reads keys that lie side by
 * side. All else: maps/go/swiss.h.
 */
#define GO_SPLIT_GROUPS
#include "maps/go/swiss.h"
