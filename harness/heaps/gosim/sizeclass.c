/* Go's size classes. */
#include "sizeclass.h"

const struct gs_size_class gs_size_classes[GS_SIZE_CLASSES] = {
    {0, 0},     {8, 1},      {16, 1},    {24, 1},    {32, 1},    {48, 1},    {64, 1},    {80, 1},
    {96, 1},    {112, 1},    {128, 1},   {144, 1},   {160, 1},   {176, 1},   {192, 1},   {208, 1},
    {224, 1},   {240, 1},    {256, 1},   {288, 1},   {320, 1},   {352, 1},   {384, 1},   {416, 1},
    {448, 1},   {480, 1},    {512, 1},   {576, 1},   {640, 1},   {704, 1},   {768, 1},   {896, 1},
    {1024, 1},  {1152, 1},   {1280, 1},  {1408, 2},  {1536, 1},  {1792, 2},  {2048, 1},  {2304, 2},
    {2688, 1},  {3072, 3},   {3200, 2},  {3456, 3},  {4096, 1},  {4864, 3},  {5376, 2},  {6144, 3},
    {6528, 4},  {6784, 5},   {6912, 6},  {8192, 1},  {9472, 7},  {9728, 6},  {10240, 5}, {10880, 4},
    {12288, 3}, {13568, 5},  {14336, 7}, {16384, 2}, {18432, 9}, {19072, 7}, {20480, 5}, {21760, 8},
    {24576, 3}, {27264, 10}, {28672, 7}, {32768, 4},
};

unsigned gs_size_class_of(size_t bytes, bool noscan, bool header) {
    /* mallocgc: with or without a header, what is above 32760 bytes is large. */
    if (bytes > GS_SMALL_MAX_BYTES - GS_HEADER_BYTES) return 0;
    if (header && !noscan && bytes > GS_HEADER_ABOVE_BYTES) bytes += GS_HEADER_BYTES;
    unsigned low = 1, high = GS_SIZE_CLASSES - 1;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (gs_size_classes[middle].bytes < bytes)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t gs_booked_bytes(size_t bytes, bool noscan, bool header) {
    unsigned class = gs_size_class_of(bytes, noscan, header);
    if (class) return gs_size_classes[class].bytes;
    return (bytes + GS_PAGE_BYTES - 1) & ~(size_t)(GS_PAGE_BYTES - 1);
}

size_t gs_grown_capacity(size_t capacity, size_t elem_bytes, bool noscan, bool header) {
    /* nextslicecap (runtime/slice.go) */
    size_t wanted = capacity == 0 ? 1 : capacity < 256 ? capacity * 2 : capacity + (capacity + 3 * 256) / 4;
    size_t bytes = wanted * elem_bytes, block = gs_booked_bytes(bytes, noscan, header);
    bool has_header =
        header && !noscan && bytes > GS_HEADER_ABOVE_BYTES && gs_size_class_of(bytes, noscan, header);
    return (block - (has_header ? GS_HEADER_BYTES : 0)) / elem_bytes;
}
