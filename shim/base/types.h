/*
 * The small scalar types that everything else is made of. A typedef where two
 * numbers of the same width could be swapped unnoticed.
 */
#ifndef WH_BASE_TYPES_H
#define WH_BASE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t nsec_t;    /* CLOCK_MONOTONIC, nanoseconds; 0: unknown */
typedef uint32_t stack_id;  /* a call stack in the recording; 0: none */
typedef uint32_t thread_id; /* threads in the order of their start; main is 1; 0: unknown */
typedef uint32_t site_id;   /* the counters of an allocating stack; 0: none */
typedef uint32_t text_id;   /* a string in the recording; 0: none */

#define NSEC_PER_SEC UINT64_C(1000000000)
#define NSEC_PER_MSEC UINT64_C(1000000)

#endif
