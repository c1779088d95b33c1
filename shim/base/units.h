/*
 * Quantities as people write them: sizes (512KiB, 10MB), durations (100ms, 5m),
 * percentages (10%), and back. Pure functions.
 */
#ifndef WH_BASE_UNITS_H
#define WH_BASE_UNITS_H

#include "base/text.h"

/*
 * Each reads the whole of `text`. Return: 0, or -EINVAL where it is not such a
 * quantity, -ERANGE where it does not fit; the result is untouched then.
 *
 * Context: signal.
 */
int units_parse_size(const char *text, uint64_t *ret_bytes); /* "64", "64KiB", "1.5GB" */
int units_parse_duration(const char *text,
			 nsec_t *ret_ns); /* "100ms", "1.5s", "5m", "1h"; a unit is required, save for 0 */
int units_parse_percent(const char *text, double *ret_percent); /* "10%", "0.1%" */

/* As read most easily: "7.3 s", "120 ms", "5 m 3 s"; "1.5 MiB"; "1,024". */
void units_put_duration(struct text *text, nsec_t ns);
void units_put_size(struct text *text, uint64_t bytes);
void units_put_count(struct text *text, uint64_t count);

#endif
