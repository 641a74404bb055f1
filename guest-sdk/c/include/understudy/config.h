// The configuration and the assets that a study gives to a plugin.
//
// `configure` of a plugin asks for each key that it knows. After it, the SDK refuses a configuration with other keys. A value that is
// missing or has another type is an error for the author of the study; the function then returns zero or an empty text, and the plugin is
// not used. The first error counts.

#ifndef UNDERSTUDY_CONFIG_H
#define UNDERSTUDY_CONFIG_H

#include "json.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The configuration and the assets of a plugin.
typedef struct us_config us_config;

/// Whether the study gives a key. It is then known.
bool us_config_has(us_config *config, const char *key);

/// The value of a key, which the study must give.
bool us_config_boolean(us_config *config, const char *key);
int64_t us_config_integer(us_config *config, const char *key);
double us_config_number(us_config *config, const char *key);
/// Ends with NUL.
const char *us_config_text(us_config *config, const char *key);
us_json us_config_json(us_config *config, const char *key);

/// The value of a key, or another one if the study does not give it.
bool us_config_boolean_or(us_config *config, const char *key, bool otherwise);
int64_t us_config_integer_or(us_config *config, const char *key, int64_t otherwise);
double us_config_number_or(us_config *config, const char *key, double otherwise);
const char *us_config_text_or(us_config *config, const char *key, const char *otherwise);

/// Whether the study gives an asset.
bool us_config_has_asset(us_config *config, const char *name);

/// The bytes of an asset, which the study must give.
us_text us_config_asset(us_config *config, const char *name);

/// Refuses the configuration, with a message for the author of the study: what is wrong, and what to do.
void us_config_error(us_config *config, const char *format, ...) __attribute__((format(printf, 2, 3)));

/// Whether there was an error.
bool us_config_failed(const us_config *config);

#ifdef __cplusplus
}
#endif

#endif
