#include "fake_report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STRINGS_BYTES 65536u
#define STACKS_BYTES 262144u
#define THREADS_MAX 600u
#define HOLDS_MAX 16u
#define PLACES_MAX 16
#define RESOURCES_MAX 64u
#define OBJECTS_MAX 64u
#define SITES_MAX 400u
#define USES_MAX 64u
#define FUNCTIONS_MAX 512u
#define DATA_MAX 64u
#define MODULE_BYTES UINT64_C(0x1000000)

struct fake_function {
	uint64_t address;
	struct frame frame;
};

struct fake fake;

static struct rec_header header;
static char strings[STRINGS_BYTES];
static char stacks[STACKS_BYTES] __attribute__((aligned(8)));
static struct rec_module modules[3];
static struct rec_object objects[OBJECTS_MAX];
static struct rec_site sites[SITES_MAX];
static struct rec_use uses[USES_MAX];
static struct snap_thread threads[THREADS_MAX];
static struct rec_hold resources[RESOURCES_MAX];
static struct rec_place places[PLACES_MAX];
static struct rec_signal signals[REC_SIGNALS_MOST];
static struct rec_span spans[8];
static struct rec_iteration iterations[8];
static struct fake_function functions[FUNCTIONS_MAX];
static size_t function_count;
static struct {
	uint64_t address;
	const char *name;
} data[DATA_MAX];
static size_t data_count;
static char *written;
static size_t written_bytes, written_room;

static void insist(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "fake_report: %s\n", what);
	abort();
}

static void *more(size_t bytes)
{
	return calloc(1, bytes);
}

static void less(void *memory, size_t bytes)
{
	(void)bytes;
	free(memory);
}

static void use(enum rec_table_id table, const void *memory, uint64_t capacity, uint64_t used)
{
	fake.view.tables[table] = memory;
	header.tables[table].capacity = capacity;
	header.tables[table].used = used;
}

/* -- the symbolizer --------------------------------------------------------- */

static size_t frames_at(uint64_t address, struct frame *into)
{
	size_t count = 0;
	for (size_t i = 0; i < function_count; i++) {
		if (functions[i].address != address)
			continue;
		if (count)
			into[count - 1].inlined = true;
		into[count++] = functions[i].frame;
	}
	return count;
}

static size_t fake_frames(struct symbolizer *self, const struct view *view, stack_id stack,
			  struct arena *arena, struct frame **ret_frames)
{
	(void)self;
	const struct rec_stack *record = view_stack(view, stack);
	if (!record)
		return 0;
	struct frame *frames = arena_array(arena, (size_t)record->count * 4, sizeof(*frames));
	size_t count = 0;
	if (!frames)
		return 0;
	for (uint16_t i = 0; i < record->count; i++) {
		size_t found = frames_at(record->frames[i], frames + count);
		if (!found)
			frames[count].offset = record->frames[i];
		count += found ? found : 1;
	}
	*ret_frames = frames;
	return count;
}

static const char *fake_data(struct symbolizer *self, const struct view *view, uint64_t address,
			     struct arena *arena)
{
	(void)self;
	(void)view;
	(void)arena;
	for (size_t i = 0; i < data_count; i++)
		if (data[i].address == address)
			return data[i].name;
	return NULL;
}

static const char *fake_code(struct symbolizer *self, const struct view *view, uint64_t address,
			     struct arena *arena)
{
	(void)self;
	(void)view;
	(void)address;
	(void)arena;
	return NULL;
}

static bool fake_variable(struct symbolizer *self, const struct view *view, const struct rec_place *place,
			  struct frame *ret_variable)
{
	(void)self;
	(void)view;
	/* A frame with a variable at its very end, and storage with one at its beginning. */
	if (place->sort == PLACE_STACK ? place->below != 8 : place->offset != 64)
		return false;
	*ret_variable = (struct frame){
		.function = "guard", .file = "/src/app/work.c", .line = 9, .module = "/opt/app/server"
	};
	return true;
}

static struct symbolizer fake_symbolizer = {
	.frames = fake_frames, .data = fake_data, .variable = fake_variable, .function = fake_code
};

/* -- the recording ---------------------------------------------------------- */

text_id fake_text(const char *text)
{
	uint64_t at = header.tables[REC_STRINGS].used;
	insist(at + strlen(text) + 1 <= sizeof strings, "too many strings");
	memcpy(strings + at, text, strlen(text) + 1);
	header.tables[REC_STRINGS].used = at + strlen(text) + 1;
	return (text_id)at;
}

static void add_module(struct rec_module *module, uint64_t start, const char *path, uint32_t flags)
{
	*module = (struct rec_module){
		.start = start,
		.end = start + MODULE_BYTES,
		.bias = start,
		.path = fake_text(path),
		.build_id_bytes = 4,
		.build_id = { 0xab, 0xcd, 0x01, (uint8_t)flags },
		.flags = flags,
	};
}

void fake_clear(void)
{
	arena_release(&fake.arena);
	arena_release(&fake.scratch);
	free(written);
	written = NULL;
	written_bytes = written_room = 0;
	memset(&header, 0, sizeof header);
	memset(objects, 0, sizeof objects);
	memset(sites, 0, sizeof sites);
	memset(threads, 0, sizeof threads);
	memset(resources, 0, sizeof resources);
	function_count = data_count = 0;
	fake = (struct fake){
		.header = &header,
		.view = { .header = &header, .live = true },
		.arena = { .more = more, .less = less },
		.scratch = { .more = more, .less = less },
	};
	use(REC_STRINGS, strings, sizeof strings, 1);
	use(REC_STACKS, stacks, sizeof stacks, 64);
	use(REC_MODULES, modules, sizeof modules, sizeof modules);
	use(REC_OBJECTS, objects, sizeof objects, 0);
	use(REC_PLACES, places, sizeof places, 0);
	memset(signals, 0, sizeof signals);
	use(REC_SIGNALS, signals, sizeof signals, sizeof signals);
	use(REC_SITES, sites, sizeof sites, sizeof sites[0]);
	use(REC_USES, uses, sizeof uses, 0);
	use(REC_SPANS, spans, sizeof spans, 0);
	use(REC_ITERATIONS, iterations, sizeof iterations, 0);
	header.magic = REC_MAGIC;
	header.version = REC_VERSION;
	header.pid = 4242;
	header.ppid = 4000;
	header.exe = fake_text("/opt/app/server");
	header.host = fake_text("db1");
	header.argv = fake_text("server");
	fake_text("--port=80");
	header.argv_bytes = sizeof "server" + sizeof "--port=80";
	header.started_mono = FAKE_NOW - 12400 * NSEC_PER_MSEC;
	header.started_real = UINT64_C(1767225600) * NSEC_PER_SEC; /* 2026-01-01 00:00:00 UTC */
	header.state = REC_RUNNING;
	header.epoch = 1;
	add_module(&modules[0], FAKE_PROGRAM, "/opt/app/server", MODULE_MAIN);
	add_module(&modules[1], FAKE_LIBC, "/usr/lib/x86_64-linux-gnu/libc.so.6", MODULE_LIBC);
	add_module(&modules[2], FAKE_SHIM, "/usr/local/lib/libwhoholds.so", MODULE_SHIM);
	fake.snapshot = (struct snapshot){
		.view = &fake.view,
		.now = FAKE_NOW,
		.threads = threads,
		.resources = resources,
		.live_bytes = 3 << 20,
		.live_blocks = 1234,
		.total_bytes = 90 << 20,
		.total_blocks = 56789,
		.peak_bytes = 5 << 20,
	};
	fake.findings.arena = &fake.arena;
	fake.report = (struct report){
		.view = &fake.view,
		.snapshot = &fake.snapshot,
		.symbolizer = &fake_symbolizer,
		.arena = &fake.scratch,
		.trigger = TRIGGER_EXIT,
	};
}

/* -- code ------------------------------------------------------------------- */

static const char *module_path(uint64_t address)
{
	for (size_t i = 0; i < COUNT_OF(modules); i++)
		if (address >= modules[i].start && address < modules[i].end)
			return strings + modules[i].path;
	return NULL;
}

static uint64_t add_function(uint64_t address, const char *function, const char *file, unsigned line)
{
	insist(function_count < FUNCTIONS_MAX, "too many functions");
	functions[function_count++] = (struct fake_function){
		.address = address,
		.frame = { .function = function,
			   .file = file,
			   .line = line,
			   .module = module_path(address),
			   .offset = address & (MODULE_BYTES - 1),
			   .build_id = "abcd0108" },
	};
	return address;
}

uint64_t fake_function(const char *function, const char *file, unsigned line)
{
	return add_function(FAKE_PROGRAM + 0x1000 + function_count * 16, function, file, line);
}

uint64_t fake_function_in(uint64_t module, const char *function)
{
	return add_function(module + 0x1000 + function_count * 16, function, NULL, 0);
}

uint64_t fake_nameless(uint64_t module, uint64_t offset)
{
	return add_function(module + offset, NULL, NULL, 0);
}

void fake_inline(uint64_t address, const char *function, const char *file, unsigned line)
{
	add_function(address, function, file, line);
}

void fake_symbol(uint64_t address, const char *name)
{
	insist(data_count < DATA_MAX, "too many symbols");
	data[data_count].address = address;
	data[data_count++].name = name;
}

stack_id fake_stack_of(const uint64_t *addresses, uint16_t count, uint16_t flags)
{
	uint64_t at = header.tables[REC_STACKS].used;
	size_t bytes = sizeof(struct rec_stack) + (size_t)count * 8;
	insist(at + bytes <= sizeof stacks, "too many stacks");
	struct rec_stack *stack = (void *)(stacks + at);
	memset(stack, 0, sizeof *stack);
	stack->epoch = 1;
	stack->count = count;
	stack->flags = flags;
	memcpy(stack->frames, addresses, (size_t)count * 8);
	header.tables[REC_STACKS].used = at + bytes;
	return (stack_id)(at / 8);
}

stack_id fake_stack(uint64_t innermost, ...)
{
	uint64_t addresses[64];
	uint16_t count = 0;
	va_list list;
	va_start(list, innermost);
	for (uint64_t at = innermost; at; at = va_arg(list, uint64_t)) {
		insist(count < COUNT_OF(addresses), "a stack too deep");
		addresses[count++] = at;
	}
	va_end(list);
	return fake_stack_of(addresses, count, 0);
}

/* -- threads ---------------------------------------------------------------- */

struct snap_thread *fake_thread(thread_id id, const char *name)
{
	insist(fake.snapshot.thread_count < THREADS_MAX, "too many threads");
	struct snap_thread *thread = &threads[fake.snapshot.thread_count++];
	thread->id = id;
	thread->tid = 4241 + (int32_t)id;
	thread->state = THREAD_RUNNING;
	thread->started = header.started_mono;
	strncpy(thread->name, name, REC_NAME_BYTES - 1);
	return thread;
}

static void fill_hold(struct rec_hold *hold, thread_id owner, enum kind kind, uint64_t handle, enum mode mode,
		      enum op op, stack_id stack, nsec_t age)
{
	static uint32_t serial;
	*hold = (struct rec_hold){
		.handle = handle,
		.since = FAKE_NOW - age,
		.stack = stack,
		.count = 1,
		.owner = owner,
		.serial = ++serial,
		.op = (uint16_t)op,
		.kind = (uint8_t)kind,
		.mode = (uint8_t)mode,
		.state = HOLD_LIVE,
	};
}

struct rec_hold *fake_hold(struct snap_thread *thread, enum kind kind, uint64_t handle, enum mode mode,
			   enum op op, stack_id stack, nsec_t age)
{
	if (!thread->holds)
		thread->holds = arena_array(&fake.arena, HOLDS_MAX, sizeof(struct rec_hold));
	insist(thread->holds && thread->hold_count < HOLDS_MAX, "too many holds");
	struct rec_hold *hold = &thread->holds[thread->hold_count++];
	fill_hold(hold, thread->id, kind, handle, mode, op, stack, age);
	return hold;
}

struct rec_wait *fake_wait(struct snap_thread *thread, enum kind kind, uint64_t handle, enum op op,
			   stack_id stack, nsec_t age)
{
	thread->waiting = true;
	thread->wait = (struct rec_wait){
		.handle = handle,
		.since = FAKE_NOW - age,
		.stack = stack,
		.op = (uint16_t)op,
		.kind = (uint8_t)kind,
		.mode = MODE_EXCLUSIVE,
	};
	return &thread->wait;
}

struct rec_hold *fake_resource(thread_id owner, enum kind kind, uint64_t handle, enum op op, stack_id stack,
			       nsec_t age)
{
	insist(fake.snapshot.resource_count < RESOURCES_MAX, "too many resources");
	struct rec_hold *hold = &resources[fake.snapshot.resource_count++];
	fill_hold(hold, owner, kind, handle, MODE_EXCLUSIVE, op, stack, age);
	return hold;
}

struct rec_object *fake_object(enum kind kind, uint64_t address, const char *name, stack_id created)
{
	size_t count = header.tables[REC_OBJECTS].used / sizeof objects[0];
	insist(count < OBJECTS_MAX, "too many objects");
	objects[count] = (struct rec_object){
		.address = address,
		.created_stack = created,
		.name = name ? fake_text(name) : 0,
		.kind = (uint8_t)kind,
		.state = 1,
	};
	header.tables[REC_OBJECTS].used += sizeof objects[0];
	return &objects[count];
}

struct rec_use *fake_use(enum kind kind, uint64_t handle, enum mode mode, enum op op, stack_id stack)
{
	struct rec_table *table = &header.tables[REC_USES];
	insist(table->used < table->capacity, "too many uses");
	struct rec_use *made = &uses[table->used / sizeof *made];
	table->used += sizeof *made;
	*made = (struct rec_use){ .handle = handle,
				  .stack = stack,
				  .op = (uint16_t)op,
				  .kind = (uint8_t)kind,
				  .mode = (uint8_t)mode };
	return made;
}

struct rec_signal *fake_signal(enum kind kind, uint64_t handle, enum op op, thread_id thread, stack_id stack,
			       nsec_t age)
{
	struct rec_signal *signal = &signals[rec_signal_place(handle)];
	insist(!signal->object, "two signals have one place");
	*signal = (struct rec_signal){ .object = rec_signal_object(kind, handle),
				       .op = (uint16_t)op,
				       .at = FAKE_NOW - age,
				       .thread = thread,
				       .stack = stack,
				       .count = 1,
				       .era = 100 };
	return signal;
}

struct rec_span *fake_span(const struct snap_thread *thread, enum kind kind, uint64_t handle, stack_id stack,
			   nsec_t age)
{
	struct rec_table *table = &header.tables[REC_SPANS];
	insist(table->used < sizeof spans, "too many spans");
	struct rec_span *span = &spans[table->used / sizeof *span];
	*span = (struct rec_span){
		.begin = FAKE_NOW - age,
		.handle = handle,
		.stack = stack,
		.thread = thread->id,
		.tid = thread->tid,
		.kind = (uint8_t)kind,
	};
	table->used += sizeof *span;
	return span;
}

void fake_iterations(enum kind kind, stack_id stack, uint32_t count, nsec_t duration)
{
	struct rec_table *table = &header.tables[REC_ITERATIONS];
	struct rec_iteration *iteration = &iterations[table->used / sizeof *iteration];
	if (table->used && iteration[-1].stack == stack && iteration[-1].kind == kind) {
		iteration--;
	} else {
		insist(table->used < sizeof iterations, "too many places that iterate");
		*iteration = (struct rec_iteration){ .stack = stack, .kind = (uint8_t)kind };
		table->used += sizeof *iteration;
	}
	iteration->count += count;
	iteration->total += count * duration;
	iteration->longest = MAX_OF(iteration->longest, duration);
	iteration->durations[rec_duration_bucket(duration)] += count;
}

struct rec_place *fake_place(uint64_t address, enum rec_place_sort sort)
{
	uint64_t at = header.tables[REC_PLACES].used / sizeof places[0];
	insist(at < PLACES_MAX, "too many places");
	header.tables[REC_PLACES].used += sizeof places[0];
	places[at] = (struct rec_place){ .address = address, .seen = FAKE_NOW, .sort = (uint16_t)sort };
	return &places[at];
}

void fake_site(stack_id stack, uint64_t live_bytes, uint64_t live_blocks)
{
	size_t count = header.tables[REC_SITES].used / sizeof sites[0];
	insist(count < SITES_MAX, "too many sites");
	sites[count] = (struct rec_site){
		.stack = stack,
		.live_bytes = live_bytes,
		.live_blocks = live_blocks,
		.total_bytes = live_bytes * 2,
		.total_blocks = live_blocks * 2,
		.peak_bytes = live_bytes,
	};
	header.tables[REC_SITES].used += sizeof sites[0];
}

/* -- findings --------------------------------------------------------------- */

#define ROOM 512u

struct finding *fake_finding(enum finding_kind kind, thread_id thread, nsec_t age)
{
	struct finding *finding = finding_begin(&fake.findings, kind, &fake.snapshot, ROOM);
	insist(finding != NULL, "no memory");
	finding->thread = thread;
	finding->since = age ? FAKE_NOW - age : 0;
	fake.report.found = (const struct finding **)fake.findings.found;
	fake.report.found_count = fake.findings.count;
	return finding;
}

struct finding_item *fake_item_hold(struct finding *finding, enum role role, const struct snap_thread *thread,
				    const struct rec_hold *hold)
{
	struct finding_item *item = finding_add(finding, role, ROOM);
	if (thread)
		finding_item_thread(item, thread);
	finding_item_hold(item, hold);
	return item;
}

struct finding_item *fake_item_wait(struct finding *finding, enum role role, const struct snap_thread *thread)
{
	struct finding_item *item = finding_add(finding, role, ROOM);
	finding_item_thread(item, thread);
	finding_item_wait(item, &thread->wait);
	return item;
}

struct finding_item *fake_item_stack(struct finding *finding, enum role role, thread_id thread,
				     stack_id stack)
{
	struct finding_item *item = finding_add(finding, role, ROOM);
	struct snap_thread *known = thread ? snapshot_thread(&fake.snapshot, thread) : NULL;
	if (known)
		finding_item_thread(item, known);
	item->thread = thread;
	item->stack = stack;
	return item;
}

/* -- what is written -------------------------------------------------------- */

static int gather(struct sink *self, const char *bytes, size_t count)
{
	(void)self;
	if (written_bytes + count + 1 > written_room) {
		written_room = (written_bytes + count + 1) * 2;
		written = realloc(written, written_room);
		insist(written != NULL, "no memory");
	}
	memcpy(written + written_bytes, bytes, count);
	written_bytes += count;
	written[written_bytes] = '\0';
	return 0;
}

const char *fake_written(int (*write)(const struct report *report, struct sink *sink))
{
	struct sink sink = { .put = gather };
	written_bytes = 0;
	gather(&sink, "", 0);
	arena_reset(&fake.scratch);
	return write(&fake.report, &sink) == 0 ? written : NULL;
}

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	if (!file)
		return NULL;
	char *text = calloc(1, 1 << 20);
	insist(text != NULL, "no memory");
	size_t count = fread(text, 1, (1 << 20) - 1, file);
	text[count] = '\0';
	fclose(file);
	return text;
}

const char *fake_golden(const char *name, const char *text)
{
	static char answer[1024];
	char path[256];
	snprintf(path, sizeof path, "testprogs/golden/%s", name);
	if (!text)
		return "nothing was written";
	if (getenv("RERECORD")) {
		FILE *file = fopen(path, "w");
		insist(file != NULL,
		       "a golden file can't be written (the tests are run from the top of the source)");
		fputs(text, file);
		fclose(file);
		return NULL;
	}
	char *expected = read_file(path);
	if (!expected) {
		snprintf(answer, sizeof answer, "%s: %s; RERECORD=1 makes it", path, strerror(errno));
		return answer;
	}
	size_t same = 0, line = 1, start = 0;
	for (; text[same] && text[same] == expected[same]; same++)
		if (text[same] == '\n') {
			line++;
			start = same + 1;
		}
	bool equal = text[same] == expected[same];
	if (!equal)
		snprintf(answer, sizeof answer, "%s:%zu: expected\n%.*s\nbut there is\n%.*s", path, line,
			 (int)strcspn(expected + start, "\n"), expected + start,
			 (int)strcspn(text + start, "\n"), text + start);
	free(expected);
	return equal ? NULL : answer;
}
