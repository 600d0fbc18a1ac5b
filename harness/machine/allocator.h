/* Names the allocator behind malloc in this process. */
#ifndef MAPBENCH_ALLOCATOR_H
#define MAPBENCH_ALLOCATOR_H

/* "jemalloc", "mimalloc", "tcmalloc" when such a library is linked or preloaded (LD_PRELOAD), found by a
 * symbol that only it has; "sanitizer" in a build for one; else "glibc", or "unknown" where malloc comes from
 * elsewhere (the memory counter in front of glibc's, say). Static text. */
const char *allocator_name(void);

#endif
