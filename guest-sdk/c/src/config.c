#include "config.h"

#include <stdarg.h>
#include <string.h>

#include "memory.h"
#include "text.h"

void us_config_error(us_config *config, const char *format, ...) {
    if (config->has_error) return;
    va_list values;
    va_start(values, format);
    config->error = us_format_values(format, values);
    va_end(values);
    config->has_error = true;
}

bool us_config_failed(const us_config *config) {
    return config->has_error;
}

/// The value of a key, which is known from now on.
static bool find(us_config *config, const char *key, us_json *value) {
    size_t index = 0;
    while (index < config->key_count && strcmp(config->keys[index], key) != 0) index += 1;
    if (index == US_MAX_KEYS) us_panic_at("understudy", "a plugin has at most %d keys of its configuration", US_MAX_KEYS);
    if (index == config->key_count) config->keys[config->key_count++] = key;
    return us_json_member(config->json, key, value);
}

static bool find_required(us_config *config, const char *key, us_json *value) {
    if (find(config, key, value)) return true;
    if (!config->has_error) {
        us_config_error(config, "config: missing field `%s`", key);
        config->is_missing = true;
    }
    return false;
}

/// Refuses the type of a value.
static void mistyped(us_config *config, const char *key, us_json value, const char *expected) {
    us_config_error(config, "config: `%s` is %.*s, expected %s", key, US_SHOWN(us_json_text(value)), expected);
}

bool us_config_has(us_config *config, const char *key) {
    us_json value;
    return find(config, key, &value);
}

us_json us_config_json(us_config *config, const char *key) {
    us_json value;
    return find_required(config, key, &value) ? value : us_json_of(us_text_of("null"));
}

bool us_config_boolean(us_config *config, const char *key) {
    us_json value;
    bool read = false;
    if (find_required(config, key, &value) && !us_json_boolean(value, &read)) mistyped(config, key, value, "true or false");
    return read;
}

int64_t us_config_integer(us_config *config, const char *key) {
    us_json value;
    int64_t read = 0;
    if (find_required(config, key, &value) && !us_json_integer(value, &read)) mistyped(config, key, value, "an integer");
    return read;
}

double us_config_number(us_config *config, const char *key) {
    us_json value;
    double read = 0;
    if (find_required(config, key, &value) && !us_json_number(value, &read)) mistyped(config, key, value, "a number");
    return read;
}

const char *us_config_text(us_config *config, const char *key) {
    us_json value;
    if (!find_required(config, key, &value)) return "";
    us_text read;
    if (!us_json_string(value, &read)) {
        mistyped(config, key, value, "a text");
        return "";
    }
    if (memchr(read.bytes, '\0', read.length) != NULL) us_config_error(config, "config: `%s` has a NUL; leave it out", key);
    char *bytes = us_call_bytes(read.length + 1);
    memcpy(bytes, read.bytes, read.length);
    bytes[read.length] = '\0';
    return bytes;
}

bool us_config_boolean_or(us_config *config, const char *key, bool otherwise) {
    return us_config_has(config, key) ? us_config_boolean(config, key) : otherwise;
}

int64_t us_config_integer_or(us_config *config, const char *key, int64_t otherwise) {
    return us_config_has(config, key) ? us_config_integer(config, key) : otherwise;
}

double us_config_number_or(us_config *config, const char *key, double otherwise) {
    return us_config_has(config, key) ? us_config_number(config, key) : otherwise;
}

const char *us_config_text_or(us_config *config, const char *key, const char *otherwise) {
    return us_config_has(config, key) ? us_config_text(config, key) : otherwise;
}

static const us_asset *find_asset(const us_config *config, const char *name) {
    for (size_t index = 0; index < config->asset_count; index += 1) {
        if (us_text_is(config->assets[index].name, name)) return &config->assets[index];
    }
    return NULL;
}

bool us_config_has_asset(us_config *config, const char *name) {
    return find_asset(config, name) != NULL;
}

us_text us_config_asset(us_config *config, const char *name) {
    const us_asset *asset = find_asset(config, name);
    if (asset != NULL) return asset->bytes;
    us_config_error(config, "assets: missing `%s`; name the file under `assets` of the plugin", name);
    return us_text_of("");
}

/// The known keys as the end of a sentence.
static us_text expected_keys(const us_config *config) {
    if (config->key_count == 0) return us_text_of("there are no fields");
    us_text list = us_format("expected %s`%s`", config->key_count > 2 ? "one of " : "", config->keys[0]);
    const char *joint = config->key_count > 2 ? "," : " or";
    for (size_t index = 1; index < config->key_count; index += 1) {
        list = us_format("%.*s%s `%s`", US_SHOWN(list), joint, config->keys[index]);
    }
    return list;
}

static bool is_known(const us_config *config, us_text key) {
    for (size_t index = 0; index < config->key_count; index += 1) {
        if (us_text_is(key, config->keys[index])) return true;
    }
    return false;
}

bool us_configure(void (*configure)(us_config *), us_config *config) {
    if (configure != NULL) configure(config);
    // A key that is misspelt is both unknown and missing. Its author is told the name.
    if (config->has_error && !config->is_missing) return false;
    us_text key;
    us_json value = {NULL, NULL};
    while (us_json_next_member(config->json, &key, &value)) {
        if (is_known(config, key)) continue;
        config->has_error = false;
        us_config_error(config, "config: unknown field `%.*s`, %.*s", US_SHOWN(key), US_SHOWN(expected_keys(config)));
        break;
    }
    return !config->has_error;
}
