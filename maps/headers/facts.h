/* What is said of every map whose header the user names by a HEADER line, and how one is missing.
 *
 * A file of this folder drives headers of one kind. The Makefile writes HEADER_SETTINGS, which defines
 * HEADER_FILE, the path in the line; HEADER_VERSION, what the header says of its version, and its checksum;
 * for the kind std HEADER_TABLE.
 */
#ifndef MAPBENCH_MAPS_HEADERS_FACTS_H
#define MAPBENCH_MAPS_HEADERS_FACTS_H

#include HEADER_SETTINGS

#define HEADER_MISSING                                                                                       \
    HEADER_FILE " is not there: its HEADER line in maps/maps.def or maps/local.def names it"

/* The facts of a map in such a header; `kind` says how it is driven, `cost`, and `notes`, what is fair. */
#define HEADER_FACTS(kind, cost_of, notes, trait_bits)                                                       \
    static const struct map_facts map_facts = {                                                              \
        .summary = "the header " HEADER_FILE ", " kind,                                                      \
        .source = HEADER_FILE,                                                                               \
        .invariants = "none known of the library",                                                           \
        .cost = cost_of,                                                                                     \
        .options = "as the header has them; " HEADER_VERSION,                                                \
        .fairness = notes,                                                                                   \
        .package = NULL,                                                                                     \
        .traits = TRAIT_ADAPTER | (trait_bits),                                                              \
    }

#endif
