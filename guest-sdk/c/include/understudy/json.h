// Values of JSON texts: those of the configuration, and of fields of the kind `json`.

#ifndef UNDERSTUDY_JSON_H
#define UNDERSTUDY_JSON_H

#include "common.h"

#ifdef __cplusplus
extern "C" {
#endif

/// A value in a JSON text, without spaces around it. It lives as long as the text.
typedef struct us_json {
    const char *start;
    const char *end;
} us_json;

/// The value of a JSON text.
us_json us_json_of(us_text text);

/// The value as it is written.
us_text us_json_text(us_json json);

/// Whether the value is `null`.
bool us_json_is_null(us_json json);

/// Reads `true` or `false`. False if the value is something else.
bool us_json_boolean(us_json json, bool *value);

/// Reads the float that is nearest to a number. False if the value is something else, or beyond the range of floats.
bool us_json_number(us_json json, double *value);

/// Reads a whole number, written without fraction and exponent. False if the value is something else, or beyond 64 bits.
bool us_json_integer(us_json json, int64_t *value);

/// Reads a text. It lives until the end of the call. False if the value is something else.
bool us_json_string(us_json json, us_text *value);

/// The next element of an array. Start with an `element` of zeros: `us_json element = {0};`. False after the last one, and if the value is
/// no array.
bool us_json_next(us_json array, us_json *element);

/// The next member of an object. Start with a `value` of zeros. False after the last one, and if the value is no object.
bool us_json_next_member(us_json object, us_text *key, us_json *value);

/// The member of an object with a key. False if it has none.
bool us_json_member(us_json object, const char *key, us_json *value);

#ifdef __cplusplus
}
#endif

#endif
