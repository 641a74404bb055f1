// Texts, and panics that say where they happened.

#ifndef UNDERSTUDY_COMMON_H
#define UNDERSTUDY_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// UTF-8 with a length, without a NUL at its end. A text of a row lives until the end of the call, a text of the configuration as long as
/// the plugin.
typedef struct us_text {
    const char *bytes;
    size_t length;
} us_text;

/// The text of a string that ends with NUL. It lives as long as the string.
us_text us_text_of(const char *string);

/// Whether a text has the bytes of a string that ends with NUL.
bool us_text_is(us_text text, const char *string);

/// Whether two texts have the same bytes.
bool us_text_equal(us_text left, us_text right);

/// The text without spaces, tabs and line breaks at both ends.
us_text us_text_trimmed(us_text text);

/// The text with the letters A to Z in lower case. It lives until the end of the call.
us_text us_text_lower(us_text text);

/// A text as `printf` formats it. It lives until the end of the call; one made by `configure` lives as long as the plugin. A `us_text` is
/// formatted by `"%.*s"` and `US_SHOWN(text)`.
us_text us_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/// The two arguments of `"%.*s"`.
#define US_SHOWN(text) (int)(text).length, (text).bytes

/// Ends the call. The report of the run has the message, after the file and line: `panicked at src/plugin.c:12: no such room`.
#define us_panic(...) us_panic_at(US_PLACE, __VA_ARGS__)

/// Ends the call with a message at a place.
__attribute__((noreturn, format(printf, 2, 3))) void us_panic_at(const char *place, const char *format, ...);

#define US_QUOTED_LINE(line) #line
#define US_QUOTED(line) US_QUOTED_LINE(line)
/// File and line of the code that contains it.
#define US_PLACE __FILE__ ":" US_QUOTED(__LINE__)

#ifdef __cplusplus
}
#endif

#endif
