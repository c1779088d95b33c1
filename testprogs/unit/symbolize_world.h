/*
 * What the symbolizer's tests need: programs compiled on the spot in a folder of
 * their own, their symbols as nm tells them, and a hand-built view of a process
 * that had them mapped.
 */
#ifndef WH_TEST_SYMBOLIZE_WORLD_H
#define WH_TEST_SYMBOLIZE_WORLD_H

#include <stdio.h>

#include "reporter/symbolize/symbolize.h"

#define WORLD_MODULES 8u
#define WORLD_STRINGS 16384u
#define WORLD_STACKS 8192u

struct world {
	struct rec_header header;
	struct view view;
	struct rec_module modules[WORLD_MODULES];
	char strings[WORLD_STRINGS];
	uint64_t stacks[WORLD_STACKS];
	struct symbolizer *symbolizer;
	struct arena arena;
};

/* A fresh folder for the files of a test program, and its removal. */
void folder_make(void);
void folder_remove(void);

/* Runs a shell command in the folder; whether it succeeded. What it prints is shown where it did not. */
__attribute__((format(printf, 1, 2))) bool run(const char *format, ...);

/* Whether a command can be found. */
bool installed(const char *command);

/* The absolute path of a file in the folder; of static storage, until the fourth call from now. */
const char *in_folder(const char *name);

/* Writes a file in the folder. */
void write_file(const char *name, const char *text);

/* Address, and bytes where asked, of a symbol as nm tells it; 0: there is none. */
uint64_t address_of(const char *program, const char *symbol, uint64_t *ret_bytes);

/* The build-id of a file; how many bytes. */
size_t build_id_of(const char *path, uint8_t id[REC_BUILD_ID_BYTES]);

void world_init(struct world *world);
void world_release(struct world *world);
text_id world_text(struct world *world, const char *text);

/* Maps a file, with the build-id that it has now, at its own addresses plus `bias`. */
struct rec_module *world_map(struct world *world, const char *path, uint64_t bias);

/* A stack of these addresses, and its frames. */
size_t world_frames(struct world *world, const uint64_t *addresses, size_t count, unsigned flags,
		    uint32_t epoch, struct frame **ret_frames);

/* The frames of one exact address. */
size_t world_at(struct world *world, uint64_t address, struct frame **ret_frames);

const char *world_data(struct world *world, uint64_t address);
const char *world_function(struct world *world, uint64_t address);

/* The first note of the symbolizer; "": it has none. */
const char *world_note(struct world *world);

#endif
