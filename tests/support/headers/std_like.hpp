/* Stands in for a C++ table of one header with the interface of std::unordered_map. */
#ifndef STD_LIKE_HPP
#define STD_LIKE_HPP

#define STD_LIKE_VERSION_MAJOR 3
#define STD_LIKE_VERSION_MINOR 1
#define STD_LIKE_VERSION_PATCH 4

#include <unordered_map>

namespace like {
template <class key, class val, class hash, class equal> struct table : std::unordered_map<key, val, hash, equal> {};
} // namespace like
#endif
