// Reads JSON. The host passes valid texts only, so a fault in one is treated as the end of it.

#include "understudy/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

static const char *after_space(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) at += 1;
    return at;
}

/// The place after a string that begins at `at`.
static const char *after_string(const char *at, const char *end) {
    for (at += 1; at < end && *at != '"'; at += 1) {
        if (*at == '\\') at += 1;
    }
    return at < end ? at + 1 : end;
}

/// The place after a value that begins at `at`.
static const char *after_value(const char *at, const char *end) {
    if (at < end && *at == '"') return after_string(at, end);
    size_t depth = 0;
    while (at < end) {
        if (*at == '"') {
            at = after_string(at, end);
            continue;
        }
        if (*at == '[' || *at == '{') depth += 1;
        bool closes = *at == ']' || *at == '}';
        if (depth == 0 && (closes || *at == ',' || *at == ':')) return at;
        at += 1;
        if (closes && --depth == 0) return at;
    }
    return end;
}

static us_json value_at(const char *at, const char *end) {
    const char *after = after_value(at, end);
    while (after > at && (after[-1] == ' ' || after[-1] == '\t' || after[-1] == '\n' || after[-1] == '\r')) after -= 1;
    return (us_json){at, after};
}

us_json us_json_of(us_text text) {
    const char *end = text.bytes + text.length;
    return value_at(after_space(text.bytes, end), end);
}

us_text us_json_text(us_json json) {
    return (us_text){json.start, (size_t)(json.end - json.start)};
}

bool us_json_is_null(us_json json) {
    return us_text_is(us_json_text(json), "null");
}

bool us_json_boolean(us_json json, bool *value) {
    *value = us_text_is(us_json_text(json), "true");
    return *value || us_text_is(us_json_text(json), "false");
}

static bool is_number(us_json json) {
    return json.start < json.end && (*json.start == '-' || (*json.start >= '0' && *json.start <= '9'));
}

/// A copy of the text with NUL at its end.
static char *copy(us_json json) {
    size_t length = (size_t)(json.end - json.start);
    char *bytes = us_call_bytes(length + 1);
    memcpy(bytes, json.start, length);
    bytes[length] = '\0';
    return bytes;
}

bool us_json_number(us_json json, double *value) {
    if (!is_number(json)) return false;
    *value = strtod(copy(json), NULL);
    return isfinite(*value);
}

bool us_json_integer(us_json json, int64_t *value) {
    if (!is_number(json)) return false;
    bool is_negative = *json.start == '-';
    uint64_t limit = is_negative ? (uint64_t)1 << 63 : ((uint64_t)1 << 63) - 1;
    uint64_t sum = 0;
    for (const char *at = json.start + is_negative; at < json.end; at += 1) {
        if (*at < '0' || *at > '9') return false;
        uint64_t digit = (uint64_t)(*at - '0');
        if (sum > (limit - digit) / 10) return false;
        sum = sum * 10 + digit;
    }
    *value = (int64_t)(is_negative ? 0 - sum : sum);
    return true;
}

static uint32_t hexadecimal(const char *at) {
    char digits[5] = {at[0], at[1], at[2], at[3], '\0'};
    return (uint32_t)strtoul(digits, NULL, 16);
}

/// Writes a character as UTF-8. Returns the place after it.
static char *write_character(char *out, uint32_t code) {
    if (code < 0x80) {
        *out++ = (char)code;
        return out;
    }
    int rest = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const uint8_t first[4] = {0, 0xc0, 0xe0, 0xf0};
    *out++ = (char)(first[rest] | code >> (6 * rest));
    while (rest-- > 0) *out++ = (char)(0x80 | (code >> (6 * rest) & 0x3f));
    return out;
}

bool us_json_string(us_json json, us_text *value) {
    if (json.end - json.start < 2 || *json.start != '"') return false;
    const char *at = json.start + 1;
    const char *end = json.end - 1;
    if (memchr(at, '\\', (size_t)(end - at)) == NULL) {
        *value = (us_text){at, (size_t)(end - at)};
        return true;
    }
    char *bytes = us_call_bytes((size_t)(end - at));
    char *out = bytes;
    while (at < end) {
        if (*at != '\\' || end - at < 2) {
            *out++ = *at++;
            continue;
        }
        char letter = at[1];
        at += 2;
        static const char letters[] = "bfnrt";
        static const char meanings[] = "\b\f\n\r\t";
        const char *known = memchr(letters, letter, sizeof letters - 1);
        if (letter != 'u' || end - at < 4) {
            *out++ = known == NULL ? letter : meanings[known - letters];
            continue;
        }
        uint32_t code = hexadecimal(at);
        at += 4;
        if (code >= 0xd800 && code < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
            code = 0x10000 + ((code - 0xd800) << 10) + (hexadecimal(at + 2) - 0xdc00);
            at += 6;
        }
        out = write_character(out, code);
    }
    *value = (us_text){bytes, (size_t)(out - bytes)};
    return true;
}

/// The next value inside of brackets, and its key if `key` is not NULL.
static bool next(us_json json, char bracket, us_text *key, us_json *value) {
    if (json.start == json.end || *json.start != bracket) return false;
    const char *end = json.end - 1;
    const char *at = after_space(value->end == NULL ? json.start + 1 : value->end, end);
    if (at < end && *at == ',') at = after_space(at + 1, end);
    if (at >= end) return false;
    if (key != NULL) {
        us_json name = {at, after_string(at, end)};
        if (!us_json_string(name, key)) return false;
        at = after_space(name.end, end);
        if (at >= end || *at != ':') return false;
        at = after_space(at + 1, end);
    }
    *value = value_at(at, end);
    return value->start < value->end;
}

bool us_json_next(us_json array, us_json *element) {
    return next(array, '[', NULL, element);
}

bool us_json_next_member(us_json object, us_text *key, us_json *value) {
    return next(object, '{', key, value);
}

bool us_json_member(us_json object, const char *key, us_json *value) {
    us_text name;
    *value = (us_json){NULL, NULL};
    while (us_json_next_member(object, &name, value)) {
        if (us_text_is(name, key)) return true;
    }
    return false;
}
