// Panics: a report in memory that the host finds after the trap. `guest-sdk/src/panic.rs` of understudy describes it.

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "understudy/common.h"

#define MAGIC 32
#define MESSAGE 4096

/// The magic with all bits inverted: memory has the magic only as part of a report.
static const uint8_t inverted[MAGIC] = {
    0xff, 0x8a, 0x91, 0x9b, 0x9a, 0x8d, 0x8c, 0x8b, 0x8a, 0x9b, 0x86, 0xdf, 0x8f, 0x9e, 0x91, 0x96,
    0x9c, 0xdf, 0x8d, 0x9a, 0x8f, 0x90, 0x8d, 0x8b, 0xdf, 0x89, 0xce, 0xff, 0xff, 0xff, 0xff, 0xff,
};

/// Magic, length in 4 bytes, message.
static volatile uint8_t report[MAGIC + 4 + MESSAGE];

void us_panic_at(const char *place, const char *format, ...) {
    static char message[MESSAGE];
    int length = snprintf(message, sizeof message, "%s: ", place);
    if (length < 0 || (size_t)length >= sizeof message) length = 0;
    va_list values;
    va_start(values, format);
    vsnprintf(message + length, sizeof message - (size_t)length, format, values);
    va_end(values);
    uint32_t written = (uint32_t)strlen(message);
    for (uint32_t index = 0; index < 4; index += 1) report[MAGIC + index] = (uint8_t)(written >> (8 * index));
    for (uint32_t index = 0; index < written; index += 1) report[MAGIC + 4 + index] = (uint8_t)message[index];
    for (uint32_t index = 0; index < MAGIC; index += 1) report[index] = (uint8_t)~inverted[index];
    __builtin_trap();
}

/// What `assert` of the C library calls. Its own one would print, which needs an import.
__attribute__((noreturn)) void __assert_fail(const char *expression, const char *file, int line, const char *function);
void __assert_fail(const char *expression, const char *file, int line, const char *function) {
    char place[512];
    snprintf(place, sizeof place, "%s:%d", file, line);
    us_panic_at(place, "assertion failed in %s: %s", function, expression);
}

__attribute__((noreturn)) void abort(void);
void abort(void) {
    us_panic_at("abort", "the plugin called abort");
}
