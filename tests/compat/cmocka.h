/* cmocka as the tests know it, in its newer versions, too: found before the system's own. */
#include_next <cmocka.h>

/* cmocka 2 has a macro of this name, which a test's function may have. */
#undef stop

/* cmocka 2 says whether a range is of signed or unsigned numbers; before, all were unsigned. */
#ifdef assert_uint_in_range
#undef assert_in_range
#define assert_in_range(value, minimum, maximum) assert_uint_in_range(value, minimum, maximum)
#undef assert_not_in_range
#define assert_not_in_range(value, minimum, maximum) assert_uint_not_in_range(value, minimum, maximum)
#endif
