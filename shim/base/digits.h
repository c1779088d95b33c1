/*
 * Numbers out of the text that the kernel writes into /proc. What follows a number is not looked at; where there
 * is no digit it is 0. Numbers of more than 64 bits lose their upper ones.
 */
#ifndef WH_BASE_DIGITS_H
#define WH_BASE_DIGITS_H

#include "base/types.h"

/* All of these: Context: signal. Return: behind the last digit. */
const char *digits_hex(const char *at, uint64_t *ret_number); /* small letters, with no 0x */
const char *digits_decimal(const char *at, uint64_t *ret_number);
/* Blanks before it are passed over; hexadecimal where it begins with 0x. */
const char *digits_either(const char *at, uint64_t *ret_number);

/* What follows `name` (with its colon; from its line's "\n" on, if others end alike) and blanks; NULL: it is not in `text`. */
const char *digits_behind(const char *text, const char *name);

#endif
