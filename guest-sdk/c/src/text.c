#include "text.h"

#include <stdio.h>
#include <string.h>

#include "memory.h"

us_text us_text_of(const char *string) {
    return (us_text){string, strlen(string)};
}

bool us_text_is(us_text text, const char *string) {
    return us_text_equal(text, us_text_of(string));
}

bool us_text_equal(us_text left, us_text right) {
    if (left.length != right.length) return false;
    size_t index = 0;
    for (; index + 8 <= left.length; index += 8) {
        if (us_word(left.bytes + index) != us_word(right.bytes + index)) return false;
    }
    while (index < left.length && left.bytes[index] == right.bytes[index]) index += 1;
    return index == left.length;
}

static bool is_space(char byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

us_text us_text_trimmed(us_text text) {
    while (text.length > 0 && is_space(text.bytes[0])) {
        text.bytes += 1;
        text.length -= 1;
    }
    while (text.length > 0 && is_space(text.bytes[text.length - 1])) text.length -= 1;
    return text;
}

us_text us_text_lower(us_text text) {
    char *bytes = US_CALL_ARRAY(char, text.length);
    for (size_t index = 0; index < text.length; index += 1) {
        char byte = text.bytes[index];
        bytes[index] = byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
    }
    return (us_text){bytes, text.length};
}

us_text us_format_values(const char *format, va_list values) {
    if (strchr(format, '%') == NULL) {
        size_t length = strlen(format);
        char *copied = us_call_bytes(length);
        return (us_text){memcpy(copied, format, length), length};
    }
    va_list again;
    va_copy(again, values);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0) us_panic_at("understudy", "the format \"%s\" fits no text", format);
    char *bytes = us_call_bytes((size_t)length + 1);
    vsnprintf(bytes, (size_t)length + 1, format, values);
    return (us_text){bytes, (size_t)length};
}

us_text us_format(const char *format, ...) {
    va_list values;
    va_start(values, format);
    us_text text = us_format_values(format, values);
    va_end(values);
    return text;
}
