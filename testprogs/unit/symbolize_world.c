#include "symbolize_world.h"

#include <check.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <elfutils/libdwelf.h>

static char folder[] = "/tmp/whoholds-symbolize-XXXXXX";

void folder_make(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

void folder_remove(void)
{
	run("rm -rf %s", folder);
	memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
}

bool run(const char *format, ...)
{
	char command[4096];
	char line[5120];
	va_list list;
	va_start(list, format);
	vsnprintf(command, sizeof(command), format, list);
	va_end(list);
	snprintf(line, sizeof(line), "{ cd %s && %s; } >%s/log 2>&1 || { cat %s/log; exit 1; }", folder,
		 command, folder, folder);
	return system(line) == 0;
}

bool installed(const char *command)
{
	char line[256];
	snprintf(line, sizeof(line), "command -v %s >/dev/null 2>&1", command);
	return system(line) == 0;
}

const char *in_folder(const char *name)
{
	static char paths[4][512];
	static unsigned next;
	char *path = paths[next++ % 4];
	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

void write_file(const char *name, const char *text)
{
	FILE *file = fopen(in_folder(name), "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

uint64_t address_of(const char *program, const char *symbol, uint64_t *ret_bytes)
{
	char command[1024];
	char line[4096];
	uint64_t address = 0;
	uint64_t found = 0;
	snprintf(command, sizeof(command), "nm --format=posix %s", in_folder(program));
	FILE *nm = popen(command, "r");
	ck_assert_ptr_nonnull(nm);
	while (fgets(line, sizeof(line), nm)) {
		char name[2048];
		char type;
		uint64_t bytes = 0;
		if (sscanf(line, "%2047s %c %lx %lx", name, &type, &address, &bytes) < 3 ||
		    strcmp(name, symbol) != 0)
			continue;
		found = address;
		if (ret_bytes)
			*ret_bytes = bytes;
	}
	pclose(nm);
	return found;
}

size_t build_id_of(const char *path, uint8_t id[REC_BUILD_ID_BYTES])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const void *found;
	elf_version(EV_CURRENT);
	Elf *elf = fd >= 0 ? elf_begin(fd, ELF_C_READ, NULL) : NULL;
	ssize_t count = elf ? dwelf_elf_gnu_build_id(elf, &found) : 0;
	if (count > REC_BUILD_ID_BYTES)
		count = REC_BUILD_ID_BYTES;
	if (count > 0)
		memcpy(id, found, (size_t)count);
	elf_end(elf);
	if (fd >= 0)
		close(fd);
	return count > 0 ? (size_t)count : 0;
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

static void table_init(struct world *world, enum rec_table_id table, const void *memory, uint64_t used,
		       uint64_t capacity)
{
	world->view.tables[table] = memory;
	world->header.tables[table].used = used;
	world->header.tables[table].capacity = capacity;
}

void world_init(struct world *world)
{
	memset(world, 0, sizeof(*world));
	world->view.header = &world->header;
	world->header.epoch = 1;
	world->header.pid = -1;
	world->arena = (struct arena){ .more = more, .less = less };
	table_init(world, REC_MODULES, world->modules, 0, sizeof(world->modules));
	table_init(world, REC_STRINGS, world->strings, 1, sizeof(world->strings));
	table_init(world, REC_STACKS, world->stacks, 64, sizeof(world->stacks));
	world->symbolizer = symbolizer_open();
	ck_assert_ptr_nonnull(world->symbolizer);
}

void world_release(struct world *world)
{
	symbolizer_close(world->symbolizer);
	arena_release(&world->arena);
}

text_id world_text(struct world *world, const char *text)
{
	uint64_t at = world->header.tables[REC_STRINGS].used;
	ck_assert_uint_lt(at + strlen(text) + 1, sizeof(world->strings));
	memcpy(world->strings + at, text, strlen(text) + 1);
	world->header.tables[REC_STRINGS].used += strlen(text) + 1;
	return (text_id)at;
}

struct rec_module *world_map(struct world *world, const char *path, uint64_t bias)
{
	uint64_t used = world->header.tables[REC_MODULES].used;
	struct rec_module *module = &world->modules[used / sizeof(*module)];
	ck_assert_uint_lt(used, sizeof(world->modules));
	memset(module, 0, sizeof(*module));
	module->start = bias;
	module->end = bias + 0x10000000;
	module->bias = bias;
	module->path = world_text(world, path);
	module->build_id_bytes = (uint32_t)build_id_of(path, module->build_id);
	world->header.tables[REC_MODULES].used += sizeof(*module);
	return module;
}

size_t world_frames(struct world *world, const uint64_t *addresses, size_t count, unsigned flags,
		    uint32_t epoch, struct frame **ret_frames)
{
	struct rec_stack *stack = (struct rec_stack *)&world->stacks[8];
	ck_assert_uint_lt(count, WORLD_STACKS - 16);
	stack->count = (uint16_t)count;
	stack->flags = (uint16_t)flags;
	stack->epoch = epoch;
	memcpy(stack->frames, addresses, count * sizeof(*addresses));
	world->header.tables[REC_STACKS].used = 64 + sizeof(*stack) + count * 8;
	return world->symbolizer->frames(world->symbolizer, &world->view, 8, &world->arena, ret_frames);
}

size_t world_at(struct world *world, uint64_t address, struct frame **ret_frames)
{
	return world_frames(world, &address, 1, STACK_EXACT_PC, 1, ret_frames);
}

const char *world_data(struct world *world, uint64_t address)
{
	return world->symbolizer->data(world->symbolizer, &world->view, address, &world->arena);
}

const char *world_function(struct world *world, uint64_t address)
{
	return world->symbolizer->function(world->symbolizer, &world->view, address, &world->arena);
}

static void keep_first(const char *path, const char *note, void *data)
{
	const char **first = data;
	(void)path;
	if (!**first)
		*first = note;
}

const char *world_note(struct world *world)
{
	const char *first = "";
	symbolizer_notes(world->symbolizer, keep_first, &first);
	return first;
}
