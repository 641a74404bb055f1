// What the SDK does around `configure` of a plugin.

#ifndef UNDERSTUDY_CONFIG_IMPLEMENTATION_H
#define UNDERSTUDY_CONFIG_IMPLEMENTATION_H

#include "understudy/config.h"

/// A file of the study.
typedef struct us_asset {
    us_text name;
    us_text bytes;
} us_asset;

/// The most keys that a plugin can ask for.
#define US_MAX_KEYS 64

struct us_config {
    us_json json;
    const us_asset *assets;
    size_t asset_count;
    /// The keys that the plugin has asked for.
    const char *keys[US_MAX_KEYS];
    size_t key_count;
    bool has_error;
    /// Whether the error is that of a missing key.
    bool is_missing;
    us_text error;
};

/// Calls `configure`, which may be NULL, and refuses keys that it has not asked for. Returns whether the configuration is accepted;
/// `error` is set otherwise.
bool us_configure(void (*configure)(us_config *), us_config *config);

#endif
