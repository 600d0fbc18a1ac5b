/* go_hmap_notop: go_hmap without the tophash filter: lookups compare every key in the chain, to see what the
 * filter is worth. Integer keys never consult it, so only string keys differ. All else: maps/go/hmap.h.
 */
#define GO_NO_TOPHASH
#define GO_SUMMARY "go_hmap without the tophash filter: every key is compared"
#include "maps/go/hmap.h"
