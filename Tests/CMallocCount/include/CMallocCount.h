#ifndef MERIDIAN_CMALLOCCOUNT_H
#define MERIDIAN_CMALLOCCOUNT_H

#include <stdint.h>

/// How often the calling thread has asked for memory since it began. Linking this module replaces the C library's
/// allocation functions of the whole process by ones that count and pass on.
uint64_t meridian_allocations(void);

#endif
