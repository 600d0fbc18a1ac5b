/* go_hmap_load6: go_hmap with the load factor of Go 1.21. There `(8 * 13 / 16) * 2` came out as 12, not 13,
 * so that release's maps grew at 6.0 entries a bucket (go.dev/issue/63438; 1.20 and 1.22 have 6.5). The sizes
 * of arrays of string keys are that release's too: the malloc header came in 1.22. All else: maps/go/hmap.h.
 */
#define GO_NO_MALLOC_HEADER
#define GO_LOAD_NUM 12u
#define GO_LOAD_TEXT "6.0"
#define GO_SUMMARY "go_hmap with the load factor 6.0 of Go 1.21"
#include "maps/go/hmap.h"
