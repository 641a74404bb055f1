// Texts that the SDK formats and compares itself.

#ifndef UNDERSTUDY_TEXT_H
#define UNDERSTUDY_TEXT_H

#include <stdarg.h>
#include <string.h>

#include "understudy/common.h"

/// The text of a format with its values; see `us_format`.
us_text us_format_values(const char *format, va_list values);

/// Eight bytes at any place.
static inline uint64_t us_word(const char *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

#endif
