#include "option_values.h"

#include <errno.h>
#include <string.h>

#include "base/units.h"

/* Longer words are no value of any option. */
#define WORD_BYTES 32

/* -- read -------------------------------------------------------------------- */

/*
 * The words before and behind `between` in `value`, blanks around it dropped. Return: false where
 * it is not there or a side is empty or too long.
 */
static bool split_at(const char *value, const char *between, char *ret_left, char *ret_right, size_t bytes)
{
	const char *found = strstr(value, between);
	if (!found)
		return false;
	const char *right = found + strlen(between);
	size_t left_bytes = (size_t)(found - value);
	while (left_bytes && value[left_bytes - 1] == ' ')
		left_bytes--;
	while (*right == ' ')
		right++;
	size_t right_bytes = strlen(right);
	if (!left_bytes || !right_bytes || left_bytes >= bytes || right_bytes >= bytes)
		return false;
	memcpy(ret_left, value, left_bytes);
	ret_left[left_bytes] = '\0';
	memcpy(ret_right, right, right_bytes + 1);
	return true;
}

static int parse_count(const char *text, uint64_t *ret_count)
{
	uint64_t count = 0;
	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		if (__builtin_mul_overflow(count, 10, &count) ||
		    __builtin_add_overflow(count, (uint64_t)(*text - '0'), &count))
			return -ERANGE;
	}
	*ret_count = count;
	return 0;
}

/* Percentages are kept whole. */
static int parse_percent(const char *text, uint64_t *ret_percent)
{
	double percent;
	int error = units_parse_percent(text, &percent);
	if (error)
		return error;
	if (percent > 1e9)
		return -ERANGE;
	*ret_percent = (uint64_t)(percent + 0.5);
	return 0;
}

typedef int parse_fn(const char *text, uint64_t *ret_value);

/*
 * A value within "LOW to HIGH", where the table's `accepts` begins so. The bounds stand in the
 * table alone: what help says is what is checked.
 */
static int take_within(const char *accepts, const char *value, parse_fn *parse, uint64_t *ret_value)
{
	char low_text[WORD_BYTES], high_text[WORD_BYTES], range[2 * WORD_BYTES];
	const char *period = strstr(accepts, "period of ");
	const char *from = period ? period + strlen("period of ") : accepts;
	size_t bytes = strcspn(from, ",");
	uint64_t number, low, high;
	int error = parse(value, &number);
	if (error)
		return error;
	if (bytes < sizeof range) {
		memcpy(range, from, bytes);
		range[bytes] = '\0';
		if (split_at(range, " to ", low_text, high_text, sizeof low_text) &&
		    parse(low_text, &low) == 0 && parse(high_text, &high) == 0 &&
		    (number < low || number > high))
			return -ERANGE;
	}
	*ret_value = number;
	return 0;
}

/* The position of `value` among words separated by '|', or -EINVAL. */
static int take_word(const char *words, const char *value)
{
	size_t length = strlen(value);
	for (int position = 0;; position++) {
		size_t bytes = strcspn(words, "|");
		if (bytes == length && memcmp(words, value, bytes) == 0)
			return position;
		if (!words[bytes])
			return -EINVAL;
		words += bytes + 1;
	}
}

static int take_flag(const char *accepts, const char *value, bool *ret_flag)
{
	int position = take_word(accepts, value);
	if (position < 0)
		return position;
	*ret_flag = position == 0;
	return 0;
}

static int take_span(const char *accepts, const char *value, nsec_t *ret_ns)
{
	if (strcmp(value, "off") == 0) {
		*ret_ns = 0;
		return 0;
	}
	return take_within(accepts, value, units_parse_duration, ret_ns);
}

static int take_count(const char *accepts, const char *value, unsigned *ret_count)
{
	uint64_t count;
	int error = take_within(accepts, value, parse_count, &count);
	if (error)
		return error;
	*ret_count = (unsigned)count;
	return 0;
}

/* A duration that something has to go on for; 0 would trip at once. */
static int take_duration(const char *value, nsec_t *ret_ns)
{
	nsec_t ns;
	int error = units_parse_duration(value, &ns);
	if (error)
		return error;
	if (ns < NSEC_PER_MSEC || ns > 1000 * 3600 * NSEC_PER_SEC)
		return -ERANGE;
	*ret_ns = ns;
	return 0;
}

/* "50MB/s for 3s", or off: both 0. */
static int take_rate(const char *value, uint64_t *ret_rate, nsec_t *ret_for)
{
	char size_text[WORD_BYTES], duration_text[WORD_BYTES];
	uint64_t bytes;
	nsec_t ns;
	if (strcmp(value, "off") == 0) {
		*ret_rate = 0;
		*ret_for = 0;
		return 0;
	}
	if (!split_at(value, "/s for ", size_text, duration_text, sizeof size_text))
		return -EINVAL;
	int error = units_parse_size(size_text, &bytes);
	if (!error)
		error = take_duration(duration_text, &ns);
	if (error)
		return error;
	if (!bytes)
		return -ERANGE;
	*ret_rate = bytes;
	*ret_for = ns;
	return 0;
}

/* "0.1%", or off: 0. */
static int take_sample(const char *value, uint32_t *ret_millionths)
{
	uint64_t millionths = 0;
	unsigned decimals = 0;
	const char *at = value;
	if (strcmp(value, "off") == 0) {
		*ret_millionths = 0;
		return 0;
	}
	bool after_point = false;
	for (; (*at >= '0' && *at <= '9') || (*at == '.' && !after_point && at > value); at++) {
		if (*at == '.') {
			after_point = true;
			continue;
		}
		if (after_point && ++decimals > 4)
			return -ERANGE;
		millionths = millionths * 10 + (uint64_t)(*at - '0');
		if (millionths > UINT64_C(1000000000))
			return -ERANGE;
	}
	if (at == value || strcmp(at, "%") != 0 || at[-1] == '.')
		return -EINVAL;
	for (; decimals < 4; decimals++)
		millionths *= 10;
	if (!millionths || millionths > SPANS_WHOLE)
		return -ERANGE;
	*ret_millionths = (uint32_t)millionths;
	return 0;
}

/* "p99 > 1.8s for 1m", where what stands before the first duration may be left out; or off: both 0. */
static int take_slow(const char *value, nsec_t *ret_limit, nsec_t *ret_for)
{
	char limit_text[WORD_BYTES], duration_text[WORD_BYTES];
	nsec_t limit, time;
	if (strcmp(value, "off") == 0) {
		*ret_limit = *ret_for = 0;
		return 0;
	}
	if (!split_at(value, " for ", limit_text, duration_text, sizeof limit_text))
		return -EINVAL;
	bool named = strncmp(limit_text, "p99 > ", 6) == 0 || strncmp(limit_text, "P99 > ", 6) == 0;
	int error = take_duration(named ? limit_text + 6 : limit_text, &limit);
	if (!error)
		error = take_duration(duration_text, &time);
	if (error)
		return error;
	*ret_limit = limit;
	*ret_for = time;
	return 0;
}

/* "200% in 5m", or off: both 0. */
static int take_growth(const char *value, unsigned *ret_percent, nsec_t *ret_in)
{
	char percent_text[WORD_BYTES], duration_text[WORD_BYTES];
	uint64_t percent;
	nsec_t ns;
	if (strcmp(value, "off") == 0) {
		*ret_percent = 0;
		*ret_in = 0;
		return 0;
	}
	if (!split_at(value, " in ", percent_text, duration_text, sizeof percent_text))
		return -EINVAL;
	int error = parse_percent(percent_text, &percent);
	if (!error)
		error = take_duration(duration_text, &ns);
	if (error)
		return error;
	if (!percent || percent > UINT32_MAX)
		return -ERANGE;
	*ret_percent = (unsigned)percent;
	*ret_in = ns;
	return 0;
}

/* Who asks for a period still wants what was lost since the last look. */
static int take_when(struct options *into, const char *accepts, const char *value)
{
	nsec_t every = 0;
	bool at_exit = strcmp(value, "off") != 0;
	if (at_exit && strcmp(value, "exit") != 0) {
		int error = take_within(accepts, value, units_parse_duration, &every);
		if (error)
			return error;
	}
	into->leaks_at_exit = at_exit;
	into->leaks_every = every;
	return 0;
}

/* `ret_bytes` NULL: a percentage or off alone. */
static int take_share(const char *accepts, const char *value, unsigned *ret_percent, uint64_t *ret_bytes)
{
	uint64_t percent = 0, bytes = 0;
	int error = 0;
	if (strcmp(value, "off") == 0)
		;
	else if (strchr(value, '%') || !ret_bytes)
		error = take_within(accepts, value, parse_percent, &percent);
	else if ((error = units_parse_size(value, &bytes)) == 0 && bytes < 1024 * 1024)
		error = -ERANGE; /* Less than this is gone before main. */
	if (error)
		return error;
	*ret_percent = (unsigned)percent;
	if (ret_bytes)
		*ret_bytes = bytes;
	return 0;
}

/* `0xHEX` behind `word`. Return: what follows it, or NULL: it is not there. */
static const char *take_hex(const char *at, const char *word, uint64_t *ret_value)
{
	size_t bytes = strlen(word);
	if (strncmp(at, word, bytes) != 0 || strncmp(at + bytes, " 0x", 3) != 0)
		return NULL;
	at += bytes + 3;
	const char *from = at;
	for (*ret_value = 0; at - from < 16; at++) {
		int digit = *at >= '0' && *at <= '9'                 ? *at - '0'
			    : (*at | 32) >= 'a' && (*at | 32) <= 'f' ? (*at | 32) - 'a' + 10
								     : -1;
		if (digit < 0)
			break;
		*ret_value = *ret_value << 4 | (uint64_t)digit;
	}
	return at == from ? NULL : at;
}

static int take_disguise(struct options *into, const char *value)
{
	uint64_t mask = 0, exclusive = 0;
	if (strcmp(value, "plain") != 0) {
		const char *at = take_hex(value, "mask", &mask);
		if (at && *at == ' ')
			at = take_hex(at + 1, "xor", &exclusive);
		else if (!at)
			at = take_hex(value, "xor", &exclusive);
		if (!at || *at || (!mask && !exclusive))
			return -EINVAL;
		mask = mask ? mask : UINT64_MAX;
	}
	into->pointer_mask = mask;
	into->pointer_xor = exclusive;
	return 0;
}

static int take_text(const char *value, char ret_text[OPTION_TEXT_BYTES])
{
	size_t bytes = strlen(value);
	if (!bytes)
		return -EINVAL;
	if (bytes >= OPTION_TEXT_BYTES)
		return -ERANGE;
	memcpy(ret_text, value, bytes + 1);
	return 0;
}

static int take_action(const char *value, char ret_text[OPTION_TEXT_BYTES])
{
	static const char exec[] = "exec:";
	bool runs = strncmp(value, exec, sizeof exec - 1) == 0 && value[sizeof exec - 1];
	if (!runs && strcmp(value, "report") != 0 && strcmp(value, "abort") != 0)
		return -EINVAL;
	return take_text(value, ret_text);
}

int option_take(struct options *into, enum option_id id, const char *value)
{
	const char *accepts = option_table[id].accepts;
	int position;
	switch (id) {
	case OPTION_alloc:
		position = take_word(accepts, value);
		if (position < 0)
			return position;
		into->alloc = (enum option_alloc)position;
		return 0;
	case OPTION_check:
		position = take_word(accepts, value);
		if (position < 0)
			return position;
		into->check_heap = position == 1;
		return 0;
	case OPTION_check_kept:
		return take_within(accepts, value, units_parse_size, &into->check_kept_bytes);
	case OPTION_sample_bytes:
		return take_within(accepts, value, units_parse_size, &into->sample_bytes);
	case OPTION_locks:
		return take_flag(accepts, value, &into->locks);
	case OPTION_iterators:
		return take_flag(accepts, value, &into->iterators);
	case OPTION_descriptors:
		return take_flag(accepts, value, &into->descriptors);
	case OPTION_mappings:
		return take_flag(accepts, value, &into->mappings);
	case OPTION_pairs:
		return take_text(value, into->pairs);
	case OPTION_depth:
		return take_count(accepts, value, &into->depth);
	case OPTION_tick:
		return take_within(accepts, value, units_parse_duration, &into->tick);
	case OPTION_blocked:
		return take_span(accepts, value, &into->blocked);
	case OPTION_held:
		return take_span(accepts, value, &into->held);
	case OPTION_iterating:
		return take_span(accepts, value, &into->iterating);
	case OPTION_spans:
		return take_sample(value, &into->spans);
	case OPTION_iteration_slow:
		return take_slow(value, &into->iteration_slow, &into->iteration_slow_for);
	case OPTION_idle_blocked:
		return take_span(accepts, value, &into->idle_blocked);
	case OPTION_heap_growth:
		return take_rate(value, &into->heap_growth_rate, &into->heap_growth_for);
	case OPTION_thread_growth:
		return take_growth(value, &into->thread_growth_percent, &into->thread_growth_in);
	case OPTION_growth:
		return take_span(accepts, value, &into->growth);
	case OPTION_rss_growth:
		return take_rate(value, &into->rss_growth_rate, &into->rss_growth_for);
	case OPTION_fragmentation:
		return take_growth(value, &into->fragmentation_percent, &into->fragmentation_in);
	case OPTION_trim:
		return take_flag(accepts, value, &into->trim);
	case OPTION_possible_leaks:
		return take_flag(accepts, value, &into->possible_leaks);
	case OPTION_leaks:
		return take_when(into, accepts, value);
	case OPTION_pointers:
		return take_disguise(into, value);
	case OPTION_log:
		return take_text(value, into->log);
	case OPTION_json:
		return take_text(value, into->json);
	case OPTION_action:
		return take_action(value, into->action);
	case OPTION_children:
		return take_flag(accepts, value, &into->children);
	case OPTION_max_memory:
		return take_share(accepts, value, &into->max_memory_percent, &into->max_memory_bytes);
	case OPTION_max_overhead:
		return take_share(accepts, value, &into->max_overhead_percent, NULL);
	case OPTION_stack_depth:
		return take_share(accepts, value, &into->stack_depth, NULL);
	case OPTION_keep:
		return take_flag(accepts, value, &into->keep);
	case OPTION_verify_stacks:
		return take_count(accepts, value, &into->verify_stacks);
	case OPTION_COUNT:
		break;
	}
	return -EINVAL;
}

/* -- written ----------------------------------------------------------------- */

/* Exact: units_parse_duration reads six decimals of a millisecond, which is a nanosecond. */
static void put_duration(struct text *text, nsec_t ns)
{
	if (!ns) {
		text_put(text, "off");
		return;
	}
	text_decimal(text, ns / NSEC_PER_MSEC);
	if (ns % NSEC_PER_MSEC)
		text_format(text, ".%06lu", ns % NSEC_PER_MSEC);
	text_put(text, "ms");
}

static void put_rate(struct text *text, uint64_t rate, nsec_t time)
{
	if (rate)
		text_format(text, "%lu/s for ", rate);
	put_duration(text, time);
}

static void put_growth(struct text *text, unsigned percent, nsec_t time)
{
	if (percent)
		text_format(text, "%u%% in ", percent);
	put_duration(text, time);
}

void option_put(struct text *text, const struct options *from, enum option_id id)
{
	switch (id) {
	case OPTION_alloc:
		text_put(text, from->alloc == ALLOC_EXACT    ? "exact"
			       : from->alloc == ALLOC_SAMPLE ? "sample"
							     : "off");
		return;
	case OPTION_check:
		text_put(text, from->check_heap ? "heap" : "none");
		return;
	case OPTION_check_kept:
		text_decimal(text, from->check_kept_bytes);
		return;
	case OPTION_sample_bytes:
		text_decimal(text, from->sample_bytes);
		return;
	case OPTION_locks:
		text_put(text, from->locks ? "on" : "off");
		return;
	case OPTION_iterators:
		text_put(text, from->iterators ? "on" : "off");
		return;
	case OPTION_descriptors:
		text_put(text, from->descriptors ? "on" : "off");
		return;
	case OPTION_mappings:
		text_put(text, from->mappings ? "on" : "off");
		return;
	case OPTION_pairs:
		text_put(text, from->pairs);
		return;
	case OPTION_depth:
		text_decimal(text, from->depth);
		return;
	case OPTION_tick:
		put_duration(text, from->tick);
		return;
	case OPTION_blocked:
		put_duration(text, from->blocked);
		return;
	case OPTION_held:
		put_duration(text, from->held);
		return;
	case OPTION_iterating:
		put_duration(text, from->iterating);
		return;
	case OPTION_spans:
		if (from->spans)
			text_format(text, "%u.%04u%%", from->spans / 10000, from->spans % 10000);
		else
			text_put(text, "off");
		return;
	case OPTION_iteration_slow:
		if (from->iteration_slow) {
			text_put(text, "p99 > ");
			put_duration(text, from->iteration_slow);
			text_put(text, " for ");
		}
		put_duration(text, from->iteration_slow_for);
		return;
	case OPTION_idle_blocked:
		put_duration(text, from->idle_blocked);
		return;
	case OPTION_heap_growth:
		put_rate(text, from->heap_growth_rate, from->heap_growth_for);
		return;
	case OPTION_thread_growth:
		put_growth(text, from->thread_growth_percent, from->thread_growth_in);
		return;
	case OPTION_growth:
		put_duration(text, from->growth);
		return;
	case OPTION_rss_growth:
		put_rate(text, from->rss_growth_rate, from->rss_growth_for);
		return;
	case OPTION_fragmentation:
		put_growth(text, from->fragmentation_percent, from->fragmentation_in);
		return;
	case OPTION_possible_leaks:
		text_put(text, from->possible_leaks ? "on" : "off");
		return;
	case OPTION_trim:
		text_put(text, from->trim ? "on" : "off");
		return;
	case OPTION_leaks:
		if (from->leaks_every || !from->leaks_at_exit)
			put_duration(text, from->leaks_every);
		else
			text_put(text, "exit");
		return;
	case OPTION_pointers:
		if (from->pointer_mask)
			text_format(text, "mask 0x%llx", (unsigned long long)from->pointer_mask);
		if (from->pointer_xor)
			text_format(text, " xor 0x%llx", (unsigned long long)from->pointer_xor);
		if (!from->pointer_mask)
			text_put(text, "plain");
		return;
	case OPTION_log:
		text_put(text, from->log);
		return;
	case OPTION_json:
		text_put(text, from->json);
		return;
	case OPTION_action:
		text_put(text, from->action);
		return;
	case OPTION_children:
		text_put(text, from->children ? "yes" : "no");
		return;
	case OPTION_max_memory:
		if (from->max_memory_bytes)
			text_decimal(text, from->max_memory_bytes);
		else if (from->max_memory_percent)
			text_format(text, "%u%%", from->max_memory_percent);
		else
			text_put(text, "off");
		return;
	case OPTION_stack_depth:
		if (from->stack_depth)
			text_format(text, "%u%%", from->stack_depth);
		else
			text_put(text, "off");
		return;
	case OPTION_max_overhead:
		if (from->max_overhead_percent)
			text_format(text, "%u%%", from->max_overhead_percent);
		else
			text_put(text, "off");
		return;
	case OPTION_keep:
		text_put(text, from->keep ? "on" : "off");
		return;
	case OPTION_verify_stacks:
		text_decimal(text, from->verify_stacks);
		return;
	case OPTION_COUNT:
		return;
	}
}
