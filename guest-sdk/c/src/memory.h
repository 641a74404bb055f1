// The memory of a call: what the host passes and what the plugin answers.
//
// Invariants:
// - It is in use until the next call begins, so the host has read the answers. Nothing in it is freed singly.
// - `malloc` of the C library is apart, for the author.

#ifndef UNDERSTUDY_MEMORY_H
#define UNDERSTUDY_MEMORY_H

#include <stddef.h>

/// Bytes for a call, aligned to 8. They are not set.
void *us_call_bytes(size_t size);

/// An array of `count` elements for a call.
#define US_CALL_ARRAY(type, count) ((type *)us_call_bytes(sizeof(type) * (count)))

/// Begins a call, unless the host has done so by passing a value.
void us_call_begin(void);

/// Ends a call: the next one may use the memory again.
void us_call_end(void);

/// Ends the call `configure`, whose memory lives as long as the plugin.
void us_call_keep(void);

/// What the adapter of the contract calls for a value of the host. `old` must be NULL.
void *us_call_realloc(void *old, size_t size);

#endif
