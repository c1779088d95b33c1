/*
 * Contexts: where a function may be called. Every header of this project names,
 * for each function, the strictest context that it supports.
 *
 *   signal    async-signal-safe: may interrupt any instruction of the program,
 *             also one of ours.
 *   hook      inside a libc call that the program made, on the program's own
 *             thread and stack (which may be 16 KiB): no libc allocation, no
 *             libc lock, no lock that another thread can hold while it sleeps,
 *             no loader lock, errno kept, frames of at most 512 bytes.
 *   reporter  on the reporter thread, a guest with its own stack and a blank
 *             thread-local area: may sleep, but may not use malloc, stdio, the
 *             loader, or anything else that takes a lock which a stuck thread of
 *             the program may hold. Raw system calls and mem/str functions only.
 *   offline   in the command, outside of any target: anything goes.
 *   init      once, before the program's main, when one thread runs.
 *
 * A function that is good for `hook` is good for `reporter` and `offline` too.
 */
#ifndef WH_BASE_CONTEXT_H
#define WH_BASE_CONTEXT_H

#define EXPORT __attribute__((visibility("default")))
/* Of variables that several files share: known to lie near, they are reached without a look at the table of offsets. */
#define HIDDEN __attribute__((visibility("hidden")))
#define TLS_IE __attribute__((tls_model("initial-exec")))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define NOINLINE __attribute__((noinline))
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define MIN_OF(a, b) ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b) ((a) > (b) ? (a) : (b))

#endif
