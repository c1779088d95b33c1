#include "registry/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "base/hash.h"
#include "options.h"
#include "platform/lock.h"
#include "platform/process.h"
#include "platform/sys.h"
#include "registry/iteration.h"
#include "registry/misuse.h"
#include "registry/recording_file.h"

struct rec_header *recording;
void *recording_tables[REC_TABLES];

static char directory[512], run[128];
static struct recording_file file;
static struct view view;
static struct lock growing;

#define MIB ((uint64_t)1 << 20)

static const uint64_t capacities[REC_TABLES] = {
	[REC_THREADS] = 32 * MIB,
	[REC_STACKS] = 256 * MIB,
	[REC_SITES] = 64 * MIB,
	[REC_CELLS] = 16 * MIB,
	[REC_RESOURCES] = 16 * MIB,
	[REC_OBJECTS] = 8 * MIB,
	[REC_MODULES] = 4096 * sizeof(struct rec_module),
	[REC_STRINGS] = 16 * MIB,
	[REC_ALERTS] = 16 * MIB,
	[REC_SERIES] = REC_SERIES_COUNT * sizeof(struct rec_point),
	[REC_LINEAGE] = 4 * MIB,
	[REC_LOCKS] = 2 * MIB,
	[REC_EDGES] = 8 * MIB,
	[REC_MISUSES] = MISUSES_MOST * sizeof(struct rec_misuse),
	[REC_SPANS] = REC_SPANS_COUNT * sizeof(struct rec_span),
	[REC_SIGNALS] = REC_SIGNALS_MOST * sizeof(struct rec_signal),
	[REC_PLACES] = REC_PLACES_MOST * sizeof(struct rec_place),
	[REC_ITERATIONS] = ITERATIONS_MOST * sizeof(struct rec_iteration),
	[REC_GROWTH] = 1 * MIB,
	[REC_ARENAS] = sizeof(struct rec_arenas),
	[REC_USES] = 8 * MIB,
	[REC_USE_CELLS] = 8 * MIB,
	[REC_WHY] = sizeof(struct rec_why),
};

/* Steps in which tables grow: each doubles what is there, within these. */
#define STEP_LEAST ((uint64_t)8 << 10)
#define STEP_MOST ((uint64_t)1 << 20)

const struct view *recording_view(void)
{
	return &view;
}

void *recording_table(enum rec_table_id table)
{
	return recording_tables[table];
}

bool recording_reserve(enum rec_table_id id, uint64_t bytes)
{
	struct rec_table *table = &recording->tables[id];
	uint64_t reserved = atomic_load_explicit(&table->reserved, memory_order_acquire);
	if (LIKELY(bytes <= reserved))
		return true;
	if (bytes > table->capacity || !lock_take(&growing))
		return false;
	reserved = atomic_load_explicit(&table->reserved, memory_order_acquire);
	bool good = true;
	if (bytes > reserved) {
		uint64_t step = MAX_OF(MIN_OF(reserved, STEP_MOST), STEP_LEAST);
		uint64_t to = MIN_OF(MAX_OF(bytes, reserved + step), table->capacity);
		good = recording_file_reserve(&file, table->offset + reserved, table->offset + to) == 0;
		if (!good && to > bytes) {
			to = bytes;
			good =
			    recording_file_reserve(&file, table->offset + reserved, table->offset + to) == 0;
		}
		if (good)
			atomic_store_explicit(&table->reserved, to, memory_order_release);
	}
	lock_release(&growing);
	return good;
}

void recording_lost(enum rec_table_id table)
{
	atomic_fetch_add_explicit(&recording->tables[table].lost, 1, memory_order_relaxed);
	recording_degrade(REC_TABLE_FULL);
}

uint64_t recording_append(enum rec_table_id id, uint64_t bytes)
{
	struct rec_table *table = &recording->tables[id];
	bytes = (bytes + 7) & ~UINT64_C(7);
	uint64_t from = atomic_load_explicit(&table->used, memory_order_relaxed);
	do {
		if (UNLIKELY(from + bytes > atomic_load_explicit(&table->reserved, memory_order_acquire)) &&
		    !recording_reserve(id, from + bytes)) {
			recording_lost(id);
			return UINT64_MAX;
		}
	} while (!atomic_compare_exchange_weak_explicit(&table->used, &from, from + bytes,
							memory_order_acq_rel, memory_order_relaxed));
	return from;
}

void recording_degrade(uint32_t bit)
{
	if (!(atomic_load_explicit(&recording->degraded, memory_order_relaxed) & bit))
		atomic_fetch_or_explicit(&recording->degraded, bit, memory_order_relaxed);
}

const char *recording_path(void)
{
	return file.path;
}

static void give_memory_back(uint64_t from, uint64_t to)
{
	if (from < to)
		sys_call3(SYS_madvise, (char *)file.at + from, to - from, MADV_REMOVE);
}

void recording_unlink(void)
{
	/*
	 * A process that has given up its rights (a worker of a server that began as root) may not remove what it
	 * made. Then at least the memory goes; the header tells whoever lists recordings that there is
	 * nothing, and the first strings whose it is, so that the command of its run can remove it.
	 */
	if (file.path[0] && sys_unlink(file.path) < 0) {
		uint64_t strings = recording->tables[REC_STRINGS].offset;
		give_memory_back(REC_HEADER_BYTES, strings);
		give_memory_back(strings + 4096, file.bytes);
	}
	file.path[0] = '\0';
}

void recording_hide(void)
{
	char hidden[700];
	struct text text = TEXT_OF(hidden);
	if (!file.path[0])
		return;
	recording_file_hidden(&file, &text);
	sys_call4(SYS_renameat, AT_FDCWD, file.path, AT_FDCWD, hidden);
}

void recording_unhide(void)
{
	char hidden[700];
	struct text text = TEXT_OF(hidden);
	if (!file.path[0])
		return;
	recording_file_hidden(&file, &text);
	sys_call4(SYS_renameat, AT_FDCWD, hidden, AT_FDCWD, file.path);
}

/* -- strings --------------------------------------------------------------- */

#define TEXT_MOST 4095u
#define TEXT_CACHE 1024u

/* The newest string of each hash: enough to keep one copy of the few hundred that there are. */
static struct {
	uint32_t hash;
	text_id text;
} text_cache[TEXT_CACHE];

static text_id append_text(const char *bytes, size_t count)
{
	uint64_t at = recording_append(REC_STRINGS, count + 1);
	if (at == UINT64_MAX)
		return 0;
	memcpy((char *)recording_table(REC_STRINGS) + at, bytes, count);
	return (text_id)at;
}

text_id recording_text(const char *text)
{
	if (!text || !*text)
		return 0;
	size_t length = strnlen(text, TEXT_MOST);
	uint64_t hash = length;
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
	unsigned at = (unsigned)(hash >> 20) % TEXT_CACHE;
	/* Both halves in one word, so that a racing writer can't mix two strings up. */
	uint64_t cached = __atomic_load_n((uint64_t *)&text_cache[at], __ATOMIC_ACQUIRE);
	text_id known = (text_id)(cached >> 32);
	if (known && (uint32_t)cached == (uint32_t)hash) {
		const char *there = (const char *)recording_table(REC_STRINGS) + known;
		if (strncmp(there, text, length) == 0 && !there[length])
			return known;
	}
	text_id made = append_text(text, length);
	if (made)
		__atomic_store_n((uint64_t *)&text_cache[at], (uint64_t)made << 32 | (uint32_t)hash,
				 __ATOMIC_RELEASE);
	return made;
}

/* -- opening --------------------------------------------------------------- */

/* Static: hooks run on stacks of 16 KiB. */
static char argv[4096];

static void describe_process(const char *exe, size_t argv_bytes)
{
	recording->pid = sys_pid();
	recording->ppid = process_parent();
	recording->uid = (uint32_t)sys_call0(SYS_geteuid);
	recording->started_boot_ticks = file.started_ticks;
	recording->pid_namespace = process_pid_namespace();
	recording->started_mono = sys_monotonic();
	recording->entry = process_entry();
	recording->main_stack_high = process_stack_high();
	recording->started_real = sys_realtime();
	recording->exe = recording_text(exe);
	if (argv_bytes) {
		recording->argv = append_text(argv, argv_bytes);
		recording->argv_bytes = recording->argv ? (uint32_t)argv_bytes : 0;
	}
	char name[65 * 6] = "";
	if (sys_call1(SYS_uname, name) == 0)
		recording->host = recording_text(
		    name + 65); /* struct utsname: five fields of 65 bytes, the second is nodename */
	char path[1024] = "";
	long length = sys_call2(SYS_getcwd, path, sizeof path);
	if (length > 0)
		recording->cwd = recording_text(path);
	recording->run = recording_text(run);
	char text[1024] = "";
	struct text list = TEXT_OF(text);
	options_write(&options, &list);
	recording->options = recording_text(text);
	recording->sample_bytes = options.sample_bytes;
	recording->limits_blocked = options.blocked;
	recording->limits_held = options.held;
	recording->limits_iterating = options.iterating;
	recording->limits_idle = options.idle_blocked;
	recording->exit_code = -1;
}

void recording_configure(const char *directory_wanted, const char *run_wanted)
{
	struct text text = TEXT_OF(directory);
	text_put(&text, directory_wanted ? directory_wanted : "");
	text = TEXT_OF(run);
	text_put(&text, run_wanted ? run_wanted : "");
}

void recording_fork_child(void)
{
	if (file.at)
		sys_call2(SYS_munmap, file.at, file.bytes);
	file.at = NULL;
	file.path[0] = '\0';
	recording = NULL;
	growing.word = 0;
}

/* The last part of the program's name, in what recording_open keeps of it. */
static const char *program;

int recording_open(void)
{
	uint64_t bytes = REC_HEADER_BYTES;
	unsigned thrift = sys_address_thrift();
	uint64_t sizes[REC_TABLES];
	for (unsigned i = 0; i < REC_TABLES; i++) {
		sizes[i] = i == REC_SERIES ? capacities[i] : capacities[i] / thrift;
		bytes += (sizes[i] + 4095) & ~UINT64_C(4095);
	}

	static char exe[1024];
	struct text text = TEXT_OF(exe);
	process_exe(&text);
	/* Once: servers write their titles over it, and fork children are called what their parent was. */
	static size_t argv_bytes;
	if (!argv_bytes)
		argv_bytes = process_argv(argv, sizeof argv);
	const char *name = argv_bytes && *argv ? argv : exe;
	const char *slash = strrchr(name, '/');
	name = slash ? slash + 1 : name;
	static char reason[700];
	struct text why = TEXT_OF(reason);
	int error = recording_file_make(&file, directory, bytes, &why);
	if (error)
		return error;

	memset(text_cache, 0, sizeof text_cache);
	struct rec_header *header = file.at;
	header->version = REC_VERSION;
	header->header_bytes = REC_HEADER_BYTES;
	uint64_t offset = REC_HEADER_BYTES;
	view.header = header;
	view.live = true;
	for (unsigned i = 0; i < REC_TABLES; i++) {
		header->tables[i].offset = offset;
		header->tables[i].capacity = sizes[i];
		recording_tables[i] = (char *)header + offset;
		view.tables[i] = recording_tables[i];
		offset += (sizes[i] + 4095) & ~UINT64_C(4095);
	}
	/* The ids 0 mean none: their places are taken by blank entries. */
	header->tables[REC_STACKS].used = 64;
	header->tables[REC_SITES].used = sizeof(struct rec_site);
	header->tables[REC_STRINGS].used = 8;
	header->state = REC_RUNNING;
	header->flags = (file.is_private ? REC_PRIVATE : 0) | (options.keep ? REC_KEEP : 0) |
			(options.alloc == ALLOC_OFF ? REC_ALLOC_OFF : 0) |
			(options.alloc == ALLOC_SAMPLE ? REC_ALLOC_SAMPLED : 0) |
			(options.locks ? 0 : REC_LOCKS_OFF);
	recording = header;
	describe_process(exe, argv_bytes);
	if (file.is_private) {
		recording_degrade(REC_NO_FILE);
		char line[900];
		struct text message = TEXT_OF(line);
		text_format(&message,
			    "whoholds[%d]: %s; recording in memory alone (set WHOHOLDS_DIR to a directory of "
			    "yours)\n",
			    recording->pid, reason);
		sys_write_all(2, line, message.used);
	}
	program = *name == '-' ? name + 1 : name;
	return 0;
}

void recording_publish(void)
{
	/* Without the magic number it is no recording, and without a name nobody finds it. */
	__atomic_store_n(&recording->magic, REC_MAGIC, __ATOMIC_RELEASE);
	recording_file_publish(&file, program);
}
