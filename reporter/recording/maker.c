#include "reporter/recording/maker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Each table's range; as in a real one, much more than is used. */
#define CAPACITY (UINT64_C(64) << 20)

static uint64_t used_of(const struct maker *maker, enum rec_table_id id)
{
	return atomic_load_explicit(&maker->header.tables[id].used, memory_order_relaxed);
}

static void set_used(struct maker *maker, enum rec_table_id id, uint64_t used)
{
	atomic_store_explicit(&maker->header.tables[id].used, used, memory_order_relaxed);
	atomic_store_explicit(&maker->header.tables[id].reserved, used, memory_order_relaxed);
}

/* `bytes` zeroed bytes at the end of the table, 8-byte aligned; their offset, or UINT64_MAX. */
static uint64_t append(struct maker *maker, enum rec_table_id id, uint64_t bytes)
{
	uint64_t from = used_of(maker, id), to = from + ((bytes + 7) & ~UINT64_C(7));
	if (to > CAPACITY) {
		maker->failed = true;
		return UINT64_MAX;
	}
	if (to > maker->room[id]) {
		uint64_t room = MAX_OF(maker->room[id] * 2, MAX_OF(to, 4096));
		void *grown = NULL;
		/* Slots are aligned by their type, which realloc would not keep. */
		if (posix_memalign(&grown, 4096, room) != 0) {
			maker->failed = true;
			return UINT64_MAX;
		}
		memset(grown, 0, room);
		if (from)
			memcpy(grown, maker->tables[id], from);
		free(maker->tables[id]);
		maker->tables[id] = grown;
		maker->room[id] = room;
	}
	set_used(maker, id, to);
	return from;
}

static void *place(const struct maker *maker, enum rec_table_id id, uint64_t offset)
{
	return (char *)maker->tables[id] + offset;
}

int maker_init(struct maker *maker, uint32_t threads)
{
	memset(maker, 0, sizeof *maker);
	maker->header.magic = REC_MAGIC;
	maker->header.version = REC_VERSION;
	maker->header.header_bytes = REC_HEADER_BYTES;
	maker->header.state = REC_RUNNING;
	maker->header.exit_code = -1;
	for (unsigned id = 0; id < REC_TABLES; id++) {
		maker->header.tables[id].offset = REC_HEADER_BYTES + id * CAPACITY;
		maker->header.tables[id].capacity = CAPACITY;
	}
	/* The ids 0 mean none. */
	append(maker, REC_STACKS, 64);
	append(maker, REC_SITES, sizeof(struct rec_site));
	append(maker, REC_STRINGS, 8);
	/* All at once, so that slots stay where they are. */
	if (threads && append(maker, REC_THREADS, (uint64_t)threads * REC_SLOT_BYTES) != UINT64_MAX)
		set_used(maker, REC_THREADS, 0);
	return maker->failed ? -ENOMEM : 0;
}

struct rec_thread *maker_thread(struct maker *maker)
{
	uint64_t at = used_of(maker, REC_THREADS);
	if (at + REC_SLOT_BYTES > maker->room[REC_THREADS])
		return NULL;
	struct rec_thread *slot = place(maker, REC_THREADS, at);
	set_used(maker, REC_THREADS, at + REC_SLOT_BYTES);
	slot->id = (thread_id)(at / REC_SLOT_BYTES + 1);
	atomic_store_explicit(&slot->state, THREAD_RUNNING, memory_order_relaxed);
	return slot;
}

text_id maker_bytes(struct maker *maker, const char *bytes, size_t count)
{
	uint64_t at = append(maker, REC_STRINGS, count + 1);
	if (at == UINT64_MAX)
		return 0;
	memcpy(place(maker, REC_STRINGS, at), bytes, count);
	return (text_id)at;
}

text_id maker_text(struct maker *maker, const char *text)
{
	return text && *text ? maker_bytes(maker, text, strlen(text)) : 0;
}

stack_id maker_stack(struct maker *maker, const uint64_t *frames, uint16_t count, uint16_t flags)
{
	uint64_t at = append(maker, REC_STACKS, sizeof(struct rec_stack) + count * sizeof *frames);
	if (at == UINT64_MAX)
		return 0;
	struct rec_stack *stack = place(maker, REC_STACKS, at);
	stack->count = count;
	stack->flags = flags;
	memcpy(stack->frames, frames, count * sizeof *frames);
	return (stack_id)(at / 8);
}

static void put(struct maker *maker, enum rec_table_id id, const void *entry, uint64_t bytes)
{
	uint64_t at = append(maker, id, bytes);
	if (at != UINT64_MAX)
		memcpy(place(maker, id, at), entry, bytes);
}

void maker_module(struct maker *maker, const struct rec_module *module)
{
	put(maker, REC_MODULES, module, sizeof *module);
}

void maker_resource(struct maker *maker, const struct rec_hold *hold)
{
	put(maker, REC_RESOURCES, hold, sizeof *hold);
}

void maker_finding(struct maker *maker, const void *finding, uint32_t bytes)
{
	put(maker, REC_ALERTS, finding, bytes);
	atomic_fetch_add_explicit(&maker->header.alerts, 1, memory_order_relaxed);
}

const struct view *maker_view(struct maker *maker)
{
	maker->view.header = &maker->header;
	maker->view.live = false;
	for (unsigned id = 0; id < REC_TABLES; id++)
		maker->view.tables[id] = maker->tables[id];
	return &maker->view;
}

static int write_at(int fd, const void *bytes, uint64_t count, uint64_t at)
{
	const char *from = bytes;
	while (count) {
		ssize_t written = pwrite(fd, from, count, (off_t)at);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		from += written;
		at += (uint64_t)written;
		count -= (uint64_t)written;
	}
	return 0;
}

int maker_save(struct maker *maker, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	int error = ftruncate(fd, (off_t)(REC_HEADER_BYTES + REC_TABLES * CAPACITY)) == 0 ? 0 : -errno;
	for (unsigned id = 0; id < REC_TABLES && !error; id++)
		error = write_at(fd, maker->tables[id], used_of(maker, (enum rec_table_id)id),
				 maker->header.tables[id].offset);
	if (!error)
		error = write_at(fd, &maker->header, sizeof maker->header, 0);
	if (close(fd) != 0 && !error)
		error = -errno;
	return error;
}

void maker_release(struct maker *maker)
{
	for (unsigned id = 0; id < REC_TABLES; id++)
		free(maker->tables[id]);
	memset(maker, 0, sizeof *maker);
}
